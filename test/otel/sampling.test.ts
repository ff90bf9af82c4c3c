import { createBatcher } from '@heddle/core'
import { instrumentBatchers } from '@heddle/otel'
import {
  context,
  createContextKey,
  ROOT_CONTEXT,
  type SpanContext,
  trace,
  TraceFlags,
} from '@opentelemetry/api'
import {
  AlwaysOffSampler,
  createAlwaysRecordSampler,
  ParentBasedSampler,
  type ReadableSpan,
  type Sampler,
  SamplingDecision,
} from '@opentelemetry/sdk-trace'
import { describe, expect, it } from 'vitest'

import { echo, turn } from '../support/crank.ts'
import { idOf, inTraceOf, linksOf, record, type Recording } from './recording.ts'

/** Leaves out the requests whose path says so, and all that belongs to them. */
const byName: Sampler = new ParentBasedSampler({
  root: {
    shouldSample: (_context, _traceId, name) => ({
      decision: name.includes('unsampled')
        ? SamplingDecision.NOT_RECORD
        : SamplingDecision.RECORD_AND_SAMPLED,
    }),
  },
})

/** Notes what it is asked about. */
function spy(sampler: Sampler, asked: string[]): Sampler {
  return {
    shouldSample(...args) {
      asked.push(args[2])
      return sampler.shouldSample(...args)
    },
  }
}

// The SDK's own, as an exporter of another package would set it.
const suppressed = ROOT_CONTEXT.setValue(
  createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING'),
  true,
)

/** Sends one request per path through one batch; the batch function makes a span. */
async function load(
  recording: Recording,
  paths: readonly string[],
): Promise<{ readonly waits: SpanContext[]; readonly active: SpanContext | undefined }> {
  const waits: SpanContext[] = []
  let active: SpanContext | undefined
  const cities = createBatcher<string, string>({
    name: 'cities',
    run(inputs) {
      active = trace.getActiveSpan()?.spanContext()
      recording.tracer.startSpan('SELECT').end()
      return inputs
    },
  })
  await Promise.all(
    paths.map((path) => {
      if (path === 'suppressed') return context.with(suppressed, () => cities.submit(path))
      return recording.request(path, (span) => {
        waits.push(span.spanContext())
        return cities.submit(path)
      })
    }),
  )
  await turn()
  return { waits, active }
}

describe('sampling', () => {
  it('makes no span of a batch without a sampled member, nor of what its function does', async () => {
    const asked: string[] = []
    using recording = record({ sampler: spy(byName, asked) })
    using _ = instrumentBatchers()
    const { waits, active } = await load(recording, ['unsampled 1', 'unsampled 2'])
    expect(recording.names).toEqual([])
    // What was decided for the request holds for its item: no span of it is even started.
    expect(asked).toEqual(['unsampled 1', 'unsampled 2', 'SELECT'])
    // The services it calls learn that nobody looks, and of no caller's trace.
    expect(active?.traceFlags).toBe(TraceFlags.NONE)
    expect(active && trace.isSpanContextValid(active)).toBe(true)
    expect(waits.map(({ traceId }) => traceId)).not.toContain(active?.traceId)
  })

  it('links to sampled and unsampled members where both are in one batch', async () => {
    using recording = record({ sampler: byName })
    using _ = instrumentBatchers()
    const { waits } = await load(recording, ['unsampled 1', 'GET /a', 'GET /b'])
    expect(recording.names).toEqual(
      ['GET /a', 'GET /b', 'SELECT', 'batch cities', 'execute cities', 'execute cities']
        .concat(['wait cities', 'wait cities'])
        .toSorted(),
    )
    const batch = recording.one('batch cities')
    expect(batch.attributes['heddle.batch.size']).toBe(3)
    expect(batch.links.map(({ context: { traceId } }) => traceId)).toEqual(
      waits.map(({ traceId }) => traceId),
    )
    expect(batch.links.map(({ context: { traceFlags } }) => traceFlags)).toEqual([0, 1, 1])
    const wait = inTraceOf(recording, recording.one('GET /b'), 'wait cities')
    expect(linksOf(batch)[2]).toBe(idOf(wait))
  })

  it('holds for both halves of an item: what is only recorded has no batch either', async () => {
    const recorded: string[] = []
    const processor = {
      onStart() {},
      onEnd: (span: ReadableSpan) => void recorded.push(span.name),
      forceFlush: () => Promise.resolve(),
      shutdown: () => Promise.resolve(),
    }
    const sampler = createAlwaysRecordSampler(new AlwaysOffSampler())
    using recording = record({ sampler, processors: [processor] })
    using _ = instrumentBatchers()
    await load(recording, ['GET /a'])
    expect(recorded.toSorted()).toEqual(['GET /a', 'SELECT', 'execute cities', 'wait cities'])
  })

  it('leaves out what is suppressed, the batch function included', async () => {
    using recording = record()
    using _ = instrumentBatchers()
    const { active } = await load(recording, ['suppressed', 'suppressed'])
    expect(recording.names).toEqual([])
    expect(active).toBeUndefined()
  })

  it('does not suppress a batch function for one of several members', async () => {
    using recording = record({ sampler: byName })
    using _ = instrumentBatchers()
    const { active } = await load(recording, ['suppressed', 'unsampled 1'])
    expect(recording.names).toEqual([])
    expect(active && trace.isSpanContextValid(active)).toBe(true)
  })

  it('leaves a suppressed member out of the batch that others are in', async () => {
    using recording = record()
    using _ = instrumentBatchers()
    await load(recording, ['GET /a', 'suppressed'])
    expect(recording.names).toEqual(
      ['GET /a', 'SELECT', 'batch cities', 'execute cities', 'wait cities'].toSorted(),
    )
    const batch = recording.one('batch cities')
    expect(batch.attributes['heddle.batch.size']).toBe(2)
    expect(linksOf(batch)).toEqual([idOf(recording.one('wait cities'))])
    // What the span `GET /a` paid for is not all its own.
    expect(batch.parentSpanContext).toBeUndefined()
  })

  it('takes no part where there is no SDK', async () => {
    using recording = record({ global: false })
    using _ = instrumentBatchers()
    const { run, batches } = echo<number>()
    const cities = createBatcher({ name: 'cities', run })
    const results = await Promise.all(
      [1, 2].map((n) => recording.request('', () => cities.submit(n))),
    )
    expect(results).toEqual([1, 2])
    expect(batches).toEqual([[1, 2]])
    expect(recording.names).toEqual(['', ''])
  })
})
