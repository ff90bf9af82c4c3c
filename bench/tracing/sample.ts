import { createBatcher } from '@heddle/core'
import { instrumentBatchers, LinksSampler } from '@heddle/otel'
import {
  InMemorySpanExporter,
  ParentBasedSampler,
  type ReadableSpan,
  type Sampler,
  SimpleSpanProcessor,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace'

import { percent } from './compare.ts'
import { requests } from './load.ts'

const ratio = (): Sampler => new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(0.1) })

/** For batches of several sizes: of the requests that are stored, the share whose batch is stored, too. */
export async function sample(count: number): Promise<string[][]> {
  const samplers = { '10 % of the roots': ratio, 'the same, in a LinksSampler': withLinks }
  const rows: string[][] = []
  for (const [name, sampler] of Object.entries(samplers)) {
    for (const size of [4, 32])
      rows.push([name, String(size), ...(await shares(sampler(), size, count))])
  }
  return [
    ['sampler', 'items in a batch', 'sampled requests whose batch is stored', 'batches stored'],
    ...rows,
  ]
}

function withLinks(): Sampler {
  return new LinksSampler(ratio())
}

async function shares(sampler: Sampler, size: number, count: number): Promise<string[]> {
  const exporter = new InMemorySpanExporter()
  const provider = new TracerProvider({
    sampler,
    spanProcessors: [new SimpleSpanProcessor({ exporter })],
  })
  const on = instrumentBatchers({ tracerProvider: provider })
  const batcher = createBatcher<number, number>({
    name: 'items',
    run: (inputs) => inputs,
    coalesce: 'microtask',
    maxBatchSize: size,
    maxConcurrency: Infinity,
  })
  await requests(provider.getTracer('bench'), (n) => batcher.submit(n), count)
  on[Symbol.dispose]()
  const spans = exporter.getFinishedSpans()
  const batches = new Set(named(spans, 'batch items').map((span) => span.spanContext().spanId))
  const executions = named(spans, 'execute items')
  const stored = executions.filter(({ links }) =>
    links.some(({ context }) => batches.has(context.spanId)),
  )
  return [percent(stored.length, executions.length), percent(batches.size, count / size)]
}

function named(spans: readonly ReadableSpan[], name: string): readonly ReadableSpan[] {
  return spans.filter((span) => span.name === name)
}
