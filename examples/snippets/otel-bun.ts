import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'

import { createBatcher } from '@heddle/core'
// #region otel-bun
import { instrumentBatchers } from '@heddle/otel'
import { context, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { BatchSpanProcessor, ConsoleSpanExporter, TracerProvider } from '@opentelemetry/sdk-trace'

const exporter = new ConsoleSpanExporter() // in production one of @opentelemetry/exporter-trace-otlp-proto
export const provider = new TracerProvider({
  spanProcessors: [new BatchSpanProcessor({ exporter })],
})
context.setGlobalContextManager(new AsyncLocalStorageContextManager())
trace.setGlobalTracerProvider(provider)
instrumentBatchers() // heddle() does it, too
// #endregion

export async function main(): Promise<void> {
  const names: string[] = []
  exporter.export = (spans, done) => {
    names.push(...spans.map(({ name }) => name))
    done({ code: 0 })
  }
  await createBatcher({ name: 'traced', run: (inputs: readonly string[]) => inputs }).submit('a')
  // The span of a batch ends when its callers go on.
  await setImmediate()
  await provider.forceFlush()
  const own = names.filter((name) => name.endsWith(' traced'))
  assert.deepEqual(own.toSorted(), ['batch traced', 'execute traced', 'wait traced'])
  trace.disable()
  context.disable()
  await provider.shutdown()
}
