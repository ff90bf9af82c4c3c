import { createRequire } from 'node:module'

import { createBatcher } from '@heddle/core'
import { instrumentBatchers } from '@heddle/otel'
import { DataloaderInstrumentation } from '@opentelemetry/instrumentation-dataloader'
import {
  BatchSpanProcessor,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
  type SpanExporter,
  type SpanProcessor,
  TracerProvider,
} from '@opentelemetry/sdk-trace'
import type DataLoader from 'dataloader'

import { cpuTime, median, takeTurns } from '../measure.ts'
import { type Ask, BURST, requests } from './load.ts'

const BATCH = /^(?:batch items|dataloader\.batch)/

/** Where the spans go, which may be changed under everybody's tracer. */
class Switch implements SpanProcessor {
  target: SpanProcessor | undefined

  onStart(...args: Parameters<SpanProcessor['onStart']>): void {
    this.target?.onStart(...args)
  }

  onEnd(span: ReadableSpan): void {
    this.target?.onEnd(span)
  }

  forceFlush(): Promise<void> {
    return this.target?.forceFlush() ?? Promise.resolve()
  }

  shutdown(): Promise<void> {
    return Promise.resolve()
  }
}

/**
 * A row for each way to trace the same batches: parents, links, what is missing, and CPU time.
 *
 * @param count - requests of a round
 */
export async function compare(count: number, rounds: number): Promise<string[][]> {
  const output = new Switch()
  const provider = new TracerProvider({ spanProcessors: [output] })
  const tracer = provider.getTracer('bench')
  const instrumentation = new DataloaderInstrumentation()
  instrumentation.setTracerProvider(provider)
  instrumentation.enable()
  instrumentBatchers({ tracerProvider: provider })
  const asks = { 'instrumentation-dataloader': askLoader(), '@heddle/otel': askBatcher() }

  const shapes = new Map<string, readonly string[]>()
  for (const [name, ask] of Object.entries(asks)) {
    const exporter = new InMemorySpanExporter()
    output.target = new SimpleSpanProcessor({ exporter })
    await requests(tracer, ask, 640)
    shapes.set(name, shapeOf(exporter.getFinishedSpans()))
  }

  output.target = new BatchSpanProcessor({ exporter: nowhere, maxQueueSize: 1e6 })
  const found = await takeTurns(Object.values(asks), rounds + 1, (ask) =>
    cpuTime(async () => {
      await requests(tracer, ask, count)
      await output.forceFlush()
    }),
  )
  // The first round warms up.
  const times = found.map((own) => median(own.slice(1)) / count)
  const head = [
    `same load, bursts of ${BURST}`,
    'batches that are children of one caller',
    'links of a batch',
    'requests that show no batch',
    'spans per request',
    'CPU µs per request',
  ]
  const rows = [...shapes].map(([name, shape], index) => [
    name,
    ...shape,
    (times[index] ?? Number.NaN).toFixed(1),
  ])
  return [head, ...rows]
}

function askLoader(): Ask {
  // The instrumentation sees only what is required.
  const Loader = createRequire(import.meta.url)('dataloader') as typeof DataLoader
  const loader = new Loader<number, number>(async (keys) => [...keys], { cache: false })
  return (n) => loader.load(n)
}

function askBatcher(): Ask {
  const batcher = createBatcher<number, number>({
    name: 'items',
    run: (inputs) => inputs,
    coalesce: 'microtask',
    maxConcurrency: Infinity,
  })
  return (n) => batcher.submit(n)
}

function shapeOf(spans: readonly ReadableSpan[]): string[] {
  const batches = spans.filter(({ name }) => BATCH.test(name))
  const servers = spans.filter(({ name }) => name === 'GET /')
  const owned = batches.filter(({ parentSpanContext }) => parentSpanContext !== undefined)
  const links = batches.reduce((sum, batch) => sum + batch.links.length, 0)
  const idsOfBatches = new Set(batches.map((batch) => batch.spanContext().spanId))
  // A request shows its batch if the batch, or a link to it, is in its trace.
  const showing = new Set(
    spans.filter((span) => isOneOf(span, idsOfBatches)).map((span) => span.spanContext().traceId),
  )
  const without = servers.filter((span) => !showing.has(span.spanContext().traceId))
  return [
    percent(owned.length, batches.length),
    (links / batches.length).toFixed(1),
    percent(without.length, servers.length),
    (spans.length / servers.length).toFixed(2),
  ]
}

function isOneOf(span: ReadableSpan, idsOfBatches: ReadonlySet<string>): boolean {
  if (idsOfBatches.has(span.spanContext().spanId)) return true
  return span.links.some((link) => idsOfBatches.has(link.context.spanId))
}

export function percent(part: number, whole: number): string {
  return `${((100 * part) / whole).toFixed(whole > 0 && part > 0 && part < whole ? 1 : 0)} %`
}

const nowhere: SpanExporter = {
  export: (_spans, done) => done({ code: 0 }),
  shutdown: () => Promise.resolve(),
}
