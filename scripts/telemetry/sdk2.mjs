/** Spans and metrics with SDK 2 and its API 1.9, which is another copy than SDK 3 has. */
import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'

import { createBatcher } from '@heddle/core'
import { HeddleInstrumentation, LinksSampler } from '@heddle/otel'
import { context, metrics, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  ParentBasedSampler,
  SimpleSpanProcessor,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-base'

const batcher = createBatcher({ name: 'cities', run: (ids) => ids })
const instrumentation = new HeddleInstrumentation()
instrumentation.enable()
// Later than all of ours, as in an app that imports its telemetry last.
const spans = new InMemorySpanExporter()
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
const ratio = new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(0.3) })
const provider = new BasicTracerProvider({
  sampler: new LinksSampler(ratio),
  spanProcessors: [new SimpleSpanProcessor(spans)],
})
trace.setGlobalTracerProvider(provider)
const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 1e6 })
const meters = new MeterProvider({ readers: [reader] })
metrics.setGlobalMeterProvider(meters)

const tracer = trace.getTracer('app')
const request = (id) =>
  tracer.startActiveSpan(`GET /${id}`, { root: true }, async (span) => {
    assert.equal(await batcher.submit(id), id)
    span.end()
  })
for (let round = 0; round < 50; round += 1) await Promise.all([request(1), request(2), request(3)])
await setImmediate()

const named = (start) => spans.getFinishedSpans().filter(({ name }) => name.startsWith(start))
const idOf = (span) => span.spanContext().spanId
const servers = named('GET ')
assert.ok(servers.length > 0 && servers.length < 150, `${servers.length} requests are sampled`)
const batches = new Set(named('batch cities').map(idOf))
const waits = new Set(named('wait cities').map(idOf))
assert.equal(waits.size, servers.length)
const executions = named('execute cities')
assert.equal(executions.length, servers.length)
for (const { links } of executions) assert.ok(batches.has(links[0].context.spanId))
for (const batch of named('batch cities')) {
  assert.equal(batch.parentSpanContext, undefined)
  assert.equal(batch.links.length, 3)
}
await meters.forceFlush()
const items = exporter
  .getMetrics()
  .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics))
  .find(({ descriptor }) => descriptor.name === 'heddle.items')
assert.equal(items.dataPoints[0].value, 150)
await meters.shutdown()
console.log('ok')
