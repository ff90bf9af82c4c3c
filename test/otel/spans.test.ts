import { type BatcherOptions, createBatcher, type ItemTiming } from '@heddle/core'
import { instrumentBatchers } from '@heddle/otel'
import { SpanKind, SpanStatusCode } from '@opentelemetry/api'
import { AlwaysOnSampler, type ReadableSpan, type Sampler } from '@opentelemetry/sdk-trace'
import { describe, expect, it } from 'vitest'

import otelPackage from '../../packages/otel/package.json' with { type: 'json' }
import { crank, echo, turn } from '../support/crank.ts'
import { idOf, inTraceOf, linksOf, micros, parentOf, record, type Recording } from './recording.ts'

const HOUR = 3_600_000
/** µs that two clocks may differ by: `Date.now()` counts whole ms, and ours may be 2 ms off. */
const TOLERANCE = 3_000

/** Three requests that share a batch, seen from the outside. */
async function threeRequests(
  recording: Recording,
  options: Partial<BatcherOptions<string, string>> = {},
): Promise<ItemTiming[]> {
  const { run, calls } = crank<string>()
  const cities = createBatcher<string, string>({ name: 'cities', run, ...options })
  const timings: ItemTiming[] = []
  const onTiming = (timing: ItemTiming): void => void timings.push(timing)
  const requests = ['a', 'b', 'c'].map((id) =>
    recording.request(`GET /${id}`, () => cities.submit(id, { onTiming })),
  )
  await turn()
  await new Promise((resolve) => setTimeout(resolve, 5))
  calls[0]?.finish(['A', 'B', 'C'])
  expect(await Promise.all(requests)).toEqual(['A', 'B', 'C'])
  await turn()
  return timings
}

describe('the spans of a batch', () => {
  it('show each request its wait and its execution, with links to the batch and back', async () => {
    using recording = record()
    using _ = instrumentBatchers()
    await threeRequests(recording, { maxBatchSize: 5 })
    expect(recording.names).toEqual(
      ['GET /a', 'GET /b', 'GET /c', 'batch cities', 'execute cities', 'execute cities']
        .concat(['execute cities', 'wait cities', 'wait cities', 'wait cities'])
        .toSorted(),
    )
    const batch = recording.one('batch cities')
    const waits = ['a', 'b', 'c'].map((id) => {
      const server = recording.one(`GET /${id}`)
      const wait = inTraceOf(recording, server, 'wait cities')
      const execute = inTraceOf(recording, server, 'execute cities')
      expect(parentOf(wait)).toBe(idOf(server))
      expect(parentOf(execute)).toBe(idOf(server))
      expect(linksOf(wait)).toEqual([])
      expect(linksOf(execute)).toEqual([idOf(batch)])
      return wait
    })
    expect(linksOf(batch)).toEqual(waits.map(idOf))
    expect(batch.links.map(({ attributes }) => attributes ?? {})).toEqual([{}, {}, {}])
  })

  it('leave no caller the owner of the batch, the first included', async () => {
    using recording = record()
    using _ = instrumentBatchers()
    await threeRequests(recording)
    const batch = recording.one('batch cities')
    expect(parentOf(batch)).toBeUndefined()
    const traces = ['a', 'b', 'c'].map((id) => recording.one(`GET /${id}`).spanContext().traceId)
    expect(new Set([...traces, batch.spanContext().traceId]).size).toBe(4)
  })

  it('say what there is to know of the item and of its batch', async () => {
    using recording = record()
    using _ = instrumentBatchers()
    const timings = await threeRequests(recording, { maxBatchSize: 5, partitionBy: () => 'eu' })
    const ours = recording.spans.filter(({ name }) => !name.startsWith('GET'))
    for (const span of ours) {
      expect(span.kind).toBe(SpanKind.INTERNAL)
      expect(span.status.code).toBe(SpanStatusCode.UNSET)
      expect(span.instrumentationScope.name).toBe('@heddle/otel')
      expect(span.instrumentationScope.version).toBe(otelPackage.version)
      expect(span.instrumentationScope.schemaUrl).toBeUndefined()
    }
    const [id] = timings.map(({ batchId }) => batchId)
    expect(id).toBe('cities#1')
    expect(recording.one('batch cities').attributes).toEqual({
      'heddle.batcher.name': 'cities',
      'heddle.batch.id': id,
      'heddle.batch.size': 3,
      'heddle.batch.max_size': 5,
      'heddle.batch.reason': 'idle',
      'heddle.batch.partition': 'eu',
    })
    expect(recording.named('wait cities').map(({ attributes }) => attributes)).toEqual(
      [0, 1, 2].map((queued) => ({
        'heddle.batcher.name': 'cities',
        'heddle.queue.size': queued,
      })),
    )
    expect(recording.named('execute cities').map(({ attributes }) => attributes)).toEqual(
      timings.map(({ queued }, index) => ({
        'heddle.batcher.name': 'cities',
        'heddle.batch.id': id,
        'heddle.batch.size': 3,
        'heddle.batch.reason': 'idle',
        'heddle.item.index': index,
        'heddle.item.time_in_queue': queued / 1000,
      })),
    )
  })

  it('add up: the wait and the execution are the whole, and the batch ends before they do', async () => {
    using recording = record()
    using _ = instrumentBatchers()
    const before = Date.now()
    const timings = await threeRequests(recording)
    const after = Date.now()
    const batch = recording.one('batch cities')
    for (const [index, id] of ['a', 'b', 'c'].entries()) {
      const server = recording.one(`GET /${id}`)
      const wait = inTraceOf(recording, server, 'wait cities')
      const execute = inTraceOf(recording, server, 'execute cities')
      const { queued = 0, ran = 0 } = timings[index] ?? {}
      const whole = micros(execute.endTime) - micros(wait.startTime)
      expect(Math.abs(whole - (queued + ran) * 1000)).toBeLessThanOrEqual(2)
      expect(micros(execute.duration)).toBeCloseTo(ran * 1000, -1)
      // Jaeger leaves a wait that touches the execution out of the critical path.
      expect(micros(execute.startTime) - micros(wait.endTime)).toBe(1)
      expect(micros(wait.endTime)).toBeGreaterThanOrEqual(micros(wait.startTime))

      expect(micros(wait.startTime)).toBeGreaterThanOrEqual(before * 1000 - TOLERANCE)
      expect(micros(execute.endTime)).toBeLessThanOrEqual(after * 1000 + TOLERANCE)
      expect(micros(wait.startTime)).toBeGreaterThanOrEqual(micros(server.startTime) - TOLERANCE)
      expect(micros(execute.endTime)).toBeLessThanOrEqual(micros(server.endTime) + TOLERANCE)

      expect(micros(execute.startTime) - micros(batch.startTime)).toBe(0)
      expect(micros(batch.endTime)).toBeLessThanOrEqual(micros(execute.endTime))
    }
  })

  it('follow the wall clock when it is set, but stay together', async () => {
    using recording = record()
    using _ = instrumentBatchers()
    const { run, calls } = crank<string>()
    const cities = createBatcher({ name: 'cities', run, maxBatchSize: 1 })
    const now = Date.now
    const before = now()
    const first = cities.submit('first')
    try {
      Date.now = () => now() + HOUR
      const second = cities.submit('second')
      await turn()
      calls[0]?.finish(['first'])
      await first
      await turn()
      calls[1]?.finish(['second'])
      await second
      await turn()
    } finally {
      Date.now = now
    }
    const hoursLater = (span: ReadableSpan): number =>
      Math.round((micros(span.startTime) / 1000 - before) / HOUR)
    expect(recording.named('wait cities').map(hoursLater)).toEqual([0, 1])
    expect(recording.named('execute cities').map(hoursLater)).toEqual([0, 1])
    expect(recording.named('batch cities').map(hoursLater)).toEqual([1, 1])
    await cities.close()
  })

  it('let a sampler see every link', async () => {
    const seen: [string, number][] = []
    const sampler: Sampler = {
      shouldSample(...args) {
        seen.push([args[2], args[5].length])
        return new AlwaysOnSampler().shouldSample()
      },
    }
    using recording = record({ sampler })
    using _ = instrumentBatchers()
    await threeRequests(recording)
    expect(seen.slice(-4)).toEqual([
      ['batch cities', 3],
      ['execute cities', 1],
      ['execute cities', 1],
      ['execute cities', 1],
    ])
  })

  it('link to the first 128 of more members, and give the true number', async () => {
    using recording = record()
    using _ = instrumentBatchers()
    const { run, batches } = echo<number>()
    const many = createBatcher({ name: 'many', run, maxBatchSize: 200 })
    const submits = Array.from({ length: 200 }, (_unused, n) =>
      recording.request(`GET /${n}`, () => many.submit(n)),
    )
    await Promise.all(submits)
    await turn()
    expect(batches.length).toBe(1)
    const batch = recording.one('batch many')
    const first = Array.from({ length: 128 }, (_unused, n) =>
      idOf(inTraceOf(recording, recording.one(`GET /${n}`), 'wait many')),
    )
    expect(linksOf(batch)).toEqual(first)
    expect(batch.droppedLinksCount).toBe(0)
    expect(batch.attributes['heddle.batch.size']).toBe(200)
    const last = inTraceOf(recording, recording.one('GET /199'), 'execute many')
    expect(linksOf(last)).toEqual([idOf(batch)])
  })

  it('of a submit outside any span are one trace, and the batch another', async () => {
    using recording = record()
    using _ = instrumentBatchers()
    const job = createBatcher({ name: 'job', run: echo<number>().run })
    await Promise.all([job.submit(1), recording.request('GET /', () => job.submit(2))])
    await turn()
    const [wait] = recording.named('wait job')
    const [execute] = recording.named('execute job')
    expect(wait && parentOf(wait)).toBeUndefined()
    expect(execute && parentOf(execute)).toBe(idOf(wait))
    expect(linksOf(recording.one('batch job'))).toEqual(recording.named('wait job').map(idOf))
  })
})
