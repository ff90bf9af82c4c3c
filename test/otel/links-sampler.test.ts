import { createBatcher } from '@heddle/core'
import { instrumentBatchers, LinksSampler } from '@heddle/otel'
import { ROOT_CONTEXT, trace } from '@opentelemetry/api'
import {
  ParentBasedSampler,
  type Sampler,
  SamplingDecision,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace'
import { describe, expect, it } from 'vitest'

import { echo, turn } from '../support/crank.ts'
import { linksOf, record, type Recording } from './recording.ts'

const ratio = (): Sampler => new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(0.1) })

/** Sends many requests, four to a batch. */
async function load(recording: Recording): Promise<void> {
  using _ = instrumentBatchers()
  const batcher = createBatcher({ name: 'cities', maxBatchSize: 4, run: echo<number>().run })
  for (let round = 0; round < 100; round += 1) {
    const submits = [1, 2, 3, 4].map((n) => recording.request('GET /', () => batcher.submit(n)))
    await Promise.all(submits)
    await turn()
  }
}

/** Of the sampled executions, the share whose batch is stored. */
function storedShare(recording: Recording): number {
  const batches = new Set(
    recording.named('batch cities').map((span) => {
      const { traceId, spanId } = span.spanContext()
      return `${traceId}/${spanId}`
    }),
  )
  const executions = recording.named('execute cities')
  const stored = executions.filter((span) => linksOf(span).some((link) => batches.has(link)))
  return stored.length / executions.length
}

describe('LinksSampler', () => {
  it('stores the batch of every sampled request, where a ratio alone stores few', async () => {
    using without = record({ sampler: ratio() })
    await load(without)
    expect(storedShare(without)).toBeLessThan(0.5)
    without[Symbol.dispose]()
    using sampled = record({ sampler: new LinksSampler(ratio()) })
    await load(sampled)
    expect(sampled.named('execute cities').length).toBeGreaterThan(0)
    expect(sampled.named('execute cities').length).toBeLessThan(200)
    expect(storedShare(sampled)).toBe(1)
  })

  it('leaves spans with a parent, and the other roots, to the other sampler', () => {
    const asked: string[] = []
    const never: Sampler = {
      shouldSample(_context, _traceId, name) {
        asked.push(name)
        return { decision: SamplingDecision.NOT_RECORD }
      },
    }
    using recording = record({ sampler: new LinksSampler(never) })
    recording.tracer.startSpan('root', { root: true }).end()
    const context = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 0 }
    recording.tracer.startSpan('unsampled link', { root: true, links: [{ context }] }).end()
    expect(recording.spans).toEqual([])
    const links = [{ context: { ...context, traceFlags: 1 } }]
    recording.tracer.startSpan('sampled link', { root: true, links }).end()
    const parent = trace.setSpanContext(ROOT_CONTEXT, context)
    recording.tracer.startSpan('child', { links }, parent).end()
    expect(recording.names).toEqual(['sampled link'])
    expect(asked).toEqual(['root', 'unsampled link', 'sampled link', 'child'])
  })

  it('needs a sampler, and has its name in its own', () => {
    expect(() => new LinksSampler(undefined as never)).toThrow('Expected a sampler')
    expect(String(new LinksSampler(new TraceIdRatioBasedSampler(0.5)))).toContain('LinksSampler{')
  })
})
