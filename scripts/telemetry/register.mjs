/** An SDK with everything that is instrumented automatically, and ours. */
import { register } from 'node:module'

import { HeddleInstrumentation } from '@heddle/otel'
import { getNodeAutoInstrumentations } from '@opentelemetry/auto-instrumentations-node'
import { NodeSDK } from '@opentelemetry/sdk-node'
import { InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace'

// Turned off where @hono/otel makes the server span.
const isPlain = process.argv.includes('hono-otel')
if (!isPlain) register('@opentelemetry/instrumentation/hook.mjs', import.meta.url)
globalThis.spans = new InMemorySpanExporter()
const sdk = new NodeSDK({
  spanProcessors: [new SimpleSpanProcessor({ exporter: globalThis.spans })],
  instrumentations: [isPlain ? [] : getNodeAutoInstrumentations(), new HeddleInstrumentation()],
})
sdk.start()
