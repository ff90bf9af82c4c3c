import assert from 'node:assert/strict'

import { context, trace } from '@opentelemetry/api'

// Somebody who reads the documents has a collector; here nothing is sent.
process.env['OTEL_TRACES_EXPORTER'] = 'none'
process.env['OTEL_METRICS_EXPORTER'] = 'none'
process.env['OTEL_LOGS_EXPORTER'] = 'none'

// #region otel
import { HeddleInstrumentation, LinksSampler } from '@heddle/otel'
import { NodeSDK } from '@opentelemetry/sdk-node'
import { ParentBasedSampler, TraceIdRatioBasedSampler } from '@opentelemetry/sdk-trace'

const tenth = new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(0.1) })
const sdk = new NodeSDK({
  serviceName: 'my-service',
  sampler: new LinksSampler(tenth), // and the batches of the requests that are sampled
  instrumentations: [new HeddleInstrumentation()],
})
sdk.start()
process.once('SIGTERM', () => void sdk.shutdown())
// #endregion

assert.equal(await sdk.shutdown(), undefined)
trace.disable()
context.disable()
