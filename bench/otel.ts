/**
 * What telemetry adds to an item: CPU time beside the same load without it, in bursts of 32, each item
 * submitted in the context of a request of its own. In production mode.
 *
 *     npx -y pnpm@12 bench:otel           Node 22, 24, 26 and Bun
 *     npx -y pnpm@12 bench:otel --write   puts the tables into docs/performance.md
 *
 * It fails if an item without an SDK makes anything, where the runtime can tell (Node 26).
 */
import assert from 'node:assert/strict'

import { context, type Context, ROOT_CONTEXT, trace, TraceFlags } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { BatchSpanProcessor, type SpanExporter, TracerProvider } from '@opentelemetry/sdk-trace'

process.env['NODE_ENV'] = 'production'
const { createBatcher } = await import('@heddle/core')
const { instrumentBatchers } = await import('@heddle/otel')
const { allocated, measure, median, runtime, spread } = await import('./measure.ts')
const { print } = await import('./report.ts')

const BURST = 32
const COUNT = process.argv.includes('--quick') ? 6_400 : 32_000
/** Of which the bytes are counted; the code must be warm. */
const COUNTED = 32_000
/** Bytes per item below which it is the measurement: the smallest object has 24. */
const NOISE = 16

const nowhere: SpanExporter = {
  export: (_spans, done) => done({ code: 0 }),
  shutdown: () => Promise.resolve(),
}
const provider = new TracerProvider({
  // Large enough that nothing is dropped: what is dropped costs less.
  spanProcessors: [
    new BatchSpanProcessor({ exporter: nowhere, maxQueueSize: 1e6, maxExportBatchSize: 512 }),
  ],
})
context.setGlobalContextManager(new AsyncLocalStorageContextManager())

const batcher = createBatcher<number, number>({
  name: 'items',
  run: (inputs) => inputs,
  coalesce: 'microtask',
  maxConcurrency: Infinity,
})

/** As after an incoming `traceparent`, so that no span of the server's is in it. */
function caller(index: number, traceFlags: TraceFlags): Context {
  const id = (index + 1).toString(16)
  const spanContext = { traceId: id.padStart(32, '0'), spanId: id.padStart(16, '0'), traceFlags }
  return trace.setSpanContext(ROOT_CONTEXT, spanContext)
}

const sampled = Array.from({ length: BURST }, (_, n) => caller(n, TraceFlags.SAMPLED))
const unsampled = Array.from({ length: BURST }, (_, n) => caller(n, TraceFlags.NONE))

async function submitAll(callers: readonly Context[], count: number): Promise<void> {
  for (let n = 0; n < count; n += BURST) {
    const items = callers.map((own, index) => context.with(own, () => batcher.submit(index)))
    const results = await Promise.all(items)
    assert.equal(results[BURST - 1], BURST - 1)
  }
}

async function instrumented(
  options: Parameters<typeof instrumentBatchers>[0],
  callers: readonly Context[],
  count: number,
): Promise<void> {
  const on = instrumentBatchers(options)
  await submitAll(callers, count)
  on[Symbol.dispose]()
}

/** The least that the same spans cost: made by hand, with no batcher, and with nothing kept of a caller. */
async function spansAlone(callers: readonly Context[], count: number): Promise<void> {
  const tracer = provider.getTracer('bench')
  for (let n = 0; n < count; n += BURST) {
    const startTime: [number, number] = [1_800_000_000, n]
    const waits = callers.map((own) =>
      tracer.startSpan(
        'wait items',
        { startTime, attributes: { 'heddle.batcher.name': 'items', 'heddle.queue.size': n } },
        own,
      ),
    )
    // As the package does where no member is sampled.
    const isRecorded = waits.some((span) => span.isRecording())
    const links = waits.map((span) => ({ context: span.spanContext() }))
    const batch = isRecorded
      ? tracer.startSpan('batch items', { startTime, links, attributes: ofBatch }, ROOT_CONTEXT)
      : undefined
    for (const [index, wait] of waits.entries()) {
      wait.end(startTime)
      if (batch === undefined) continue
      const attributes = { ...ofBatch, 'heddle.item.index': index, 'heddle.item.time_in_queue': n }
      const link = [{ context: batch.spanContext() }]
      const options = { startTime, links: link, attributes }
      tracer.startSpan('execute items', options, callers[index]).end(startTime)
    }
    batch?.end(startTime)
  }
  await provider.forceFlush()
}

const ofBatch = {
  'heddle.batcher.name': 'items',
  'heddle.batch.id': 'items#1',
  'heddle.batch.size': BURST,
  'heddle.batch.reason': 'full',
}

const operations = {
  without: (count: number) => submitAll(sampled, count),
  'no SDK': (count: number) => instrumented({}, sampled, count),
  'sampler off': (count: number) => instrumented({ tracerProvider: provider }, unsampled, count),
  'SDK, exporter that drops': async (count: number) => {
    await instrumented({ tracerProvider: provider }, sampled, count)
    await provider.forceFlush()
  },
}
/** What a row adds is what it takes by itself. */
const floors = {
  'the same spans alone, sampler off': (count: number) => spansAlone(unsampled, count),
  'the same spans alone': (count: number) => spansAlone(sampled, count),
}
const GOALS: Readonly<Record<string, number>> = {
  'no SDK': 0.25,
  'sampler off': 1.5,
  'SDK, exporter that drops': 4,
}

const times = await measure({ ...operations, ...floors }, COUNT)
const rows = Object.entries(times).map(([name, own]) => {
  // A floor's is what it takes by itself.
  const base = name in floors ? [] : times.without
  const added = own.map((time, round) => (time - (base[round] ?? 0)) / 1e3)
  const time = median(own) / 1e3
  const goal = GOALS[name]
  if (name === 'without') return [name, time]
  return [
    name,
    time,
    median(added),
    spread(added),
    goal && `at most ${goal}${runtime.startsWith('Bun') ? ' × 2' : ''}`,
  ]
})
print({
  title: `Telemetry, ${runtime}`,
  about: `CPU time per item, medians of interleaved rounds of ${COUNT} items, quartiles of what is added`,
  columns: [['telemetry'], ['µs', 2], ['added µs', 2], ['quartiles'], ['goal']],
  rows,
})
await assertNothingMade()
await provider.shutdown()

/** Without an SDK, an item makes as many objects as without telemetry. */
async function assertNothingMade(): Promise<void> {
  if (Number.isNaN(allocated())) return
  const bytesOf = async (operation: (count: number) => Promise<void>): Promise<number> => {
    const before = allocated()
    await operation(COUNTED)
    return (allocated() - before) / COUNTED
  }
  const pairs: number[] = []
  for (let n = 0; n < 5; n += 1) {
    const without = await bytesOf(operations.without)
    pairs.push((await bytesOf(operations['no SDK'])) - without)
  }
  const added = pairs.toSorted((a, b) => a - b)[2] ?? 0
  assert.ok(added < NOISE, `Without an SDK an item allocates ${added} bytes more`)
}
