import { createKey, run as runWith } from '@heddle/context'
import { createBatcher } from '@heddle/core'
import { virtualClock } from '@heddle/core/testing'
import { instrumentBatchers } from '@heddle/otel'
import { SpanStatusCode } from '@opentelemetry/api'
import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import { describe, expect, it } from 'vitest'

import { crank, ended, turn } from '../support/crank.ts'
import { micros, record, type Recording } from './recording.ts'

class NotFound extends Error {}

interface Marks {
  readonly name: string
  readonly type: unknown
  readonly message: string | undefined
  readonly exceptions: unknown[]
}

/** The spans that are marked as failed. */
function failed(recording: Recording): Marks[] {
  return recording.spans.filter(({ status }) => status.code === SpanStatusCode.ERROR).map(marksOf)
}

function marksOf({ name, attributes, status, events }: ReadableSpan): Marks {
  const exceptions = events.map((event) => event.attributes?.['exception.message'])
  return { name, type: attributes['error.type'], message: status.message, exceptions }
}

function outcomes(promises: readonly Promise<unknown>[]): Promise<unknown[]> {
  return Promise.all(promises.map(ended))
}

describe('an item that ran', () => {
  it('has its own error recorded once, on its execution', async () => {
    using recording = record()
    using _ = instrumentBatchers()
    const cities = createBatcher<number, number>({
      name: 'cities',
      run: (ids) => ids.map((id) => (id === 2 ? new NotFound('no city 2') : id)),
    })
    expect(await outcomes([1, 2, 3].map((id) => cities.submit(id)))).toEqual([1, 'no city 2', 3])
    await turn()
    expect(failed(recording)).toEqual([
      { name: 'execute cities', type: 'NotFound', message: 'no city 2', exceptions: ['no city 2'] },
    ])
    expect(recording.one('batch cities').status.code).toBe(SpanStatusCode.UNSET)
    expect(recording.spans.flatMap(({ events }) => events).length).toBe(1)
  })

  it('has the type that its error gives itself', async () => {
    using recording = record()
    using _ = instrumentBatchers()
    const named = Object.assign(new NotFound('gone'), { name: 'GoneError' })
    const cities = createBatcher<number, number>({ name: 'cities', run: () => [named] })
    expect(await ended(cities.submit(1))).toBe('gone')
    expect(failed(recording).map(({ type }) => type)).toEqual(['GoneError'])
  })

  it('has the error of another batcher as its own', async () => {
    using recording = record()
    using _ = instrumentBatchers()
    const inner = createBatcher<number, number>({ name: 'inner', run: () => [] })
    await inner.close()
    const outer = createBatcher<number, number>({
      name: 'outer',
      run: ([id = 0]) =>
        inner.submit(id).then(
          (value) => [value],
          (error: Error) => [error],
        ),
    })
    expect(await ended(outer.submit(1))).toBe('BATCHER_CLOSED')
    await turn()
    expect(
      failed(recording).map(({ name, type, exceptions }) => [name, type, exceptions.length]),
    ).toEqual([
      ['wait inner', 'closed', 0],
      ['execute outer', 'BatcherError', 1],
    ])
  })

  it('shows the failure of its batch, which is recorded once, on the batch', async () => {
    using recording = record()
    using _ = instrumentBatchers()
    const cities = createBatcher<number, number>({
      name: 'cities',
      run: () => Promise.reject(new TypeError('no database')),
    })
    expect(await outcomes([cities.submit(1), cities.submit(2)])).toEqual(
      Array.from({ length: 2 }, () => 'BATCH_FAILED'),
    )
    await turn()
    const execute = {
      name: 'execute cities',
      type: 'TypeError',
      message: 'Batcher `cities`: The batch function failed: TypeError: no database',
      exceptions: [],
    }
    expect(failed(recording)).toEqual([
      execute,
      execute,
      {
        name: 'batch cities',
        type: 'TypeError',
        message: 'no database',
        exceptions: ['no database'],
      },
    ])
  })

  it('shows a batch function that throws what is no Error, or returns too little', async () => {
    using recording = record()
    using _ = instrumentBatchers()
    const odd = createBatcher<number, number>({
      name: 'odd',
      run() {
        // oxlint-disable-next-line typescript/only-throw-error
        throw 'a word'
      },
    })
    const short = createBatcher<number, number>({ name: 'short', run: () => [] })
    expect(await outcomes([odd.submit(1), short.submit(1)])).toEqual([
      'BATCH_FAILED',
      'RESULT_MISMATCH',
    ])
    await turn()
    expect(marksOf(recording.one('batch odd'))).toMatchObject({
      type: '_OTHER',
      exceptions: ['a word'],
    })
    expect(marksOf(recording.one('batch short'))).toMatchObject({ type: 'BatcherError' })
    expect(marksOf(recording.one('execute short'))).toMatchObject({
      type: 'BatcherError',
      exceptions: [],
    })
  })

  it('ends when its caller is gone, though the batch still runs', async () => {
    using clock = virtualClock()
    using recording = record()
    using _ = instrumentBatchers()
    const { run, calls } = crank<number>()
    const cities = createBatcher({ name: 'cities', run })
    const controller = new AbortController()
    const late = ended(cities.submit(1, { timeout: 20 }))
    const gone = ended(cities.submit(2, { signal: controller.signal }))
    const patient = cities.submit(3)
    await clock.settle()
    controller.abort(new NotFound('left'))
    await gone
    await clock.advance(20)
    expect(await late).toBe('DEADLINE_EXCEEDED')
    expect(failed(recording).map(({ name, type, exceptions }) => [name, type, exceptions])).toEqual(
      [
        ['execute cities', 'aborted', []],
        ['execute cities', 'deadline_exceeded', []],
      ],
    )
    expect(recording.named('batch cities').length).toBe(0)
    calls[0]?.finish([1, 2, 3])
    await patient
    await clock.settle()
    expect(recording.named('execute cities').length).toBe(3)
    expect(recording.one('batch cities').status.code).toBe(SpanStatusCode.UNSET)
  })
})

describe('an item that never ran', () => {
  it('has a wait that says why, and no execution', async () => {
    using clock = virtualClock()
    using recording = record()
    using _ = instrumentBatchers()
    const { run, calls } = crank<number>()
    const cities = createBatcher({ name: 'cities', run, maxBatchSize: 1, maxQueueSize: 2 })
    const controller = new AbortController()
    const running = cities.submit(1)
    await clock.settle()
    const leaving = cities.submit(2, { signal: controller.signal })
    const late = cities.submit(3, { timeout: 10 })
    const full = cities.submit(4)
    const given = outcomes([leaving, late, full])
    controller.abort(new NotFound('left'))
    await clock.advance(10)
    expect(await given).toEqual(['left', 'DEADLINE_EXCEEDED', 'QUEUE_FULL'])
    const closing = cities.close()
    const closed = ended(cities.submit(5))
    calls[0]?.finish([1])
    await running
    await closing
    expect(await closed).toBe('BATCHER_CLOSED')
    await clock.settle()
    expect(failed(recording).map(({ name, type, exceptions }) => [name, type, exceptions])).toEqual(
      [
        ['wait cities', 'queue_full', []],
        ['wait cities', 'aborted', []],
        ['wait cities', 'deadline_exceeded', []],
        ['wait cities', 'closed', []],
      ],
    )
    expect(recording.named('execute cities').length).toBe(1)
    expect(recording.named('wait cities').length).toBe(5)
    // The one that was too late has waited for its 10 ms.
    const waited = recording.named('wait cities').map(({ duration }) => micros(duration))
    expect(waited[3]).toBe(10_000)
  })

  it('shows a batch that could not be opened', async () => {
    const broken = createKey<string>('test.otel.broken', {
      // It is asked for every batch of the process, so it must let those of other tests be.
      batch(values) {
        if (values.includes('broken')) throw new RangeError('cannot be merged')
        return undefined
      },
    })
    using recording = record()
    using _ = instrumentBatchers()
    const cities = createBatcher<number, number>({ name: 'cities', run: (ids) => ids })
    expect(await ended(runWith([broken.of('broken')], () => cities.submit(1)))).toBe('BATCH_FAILED')
    await turn()
    expect(failed(recording).map(({ name, type }) => [name, type])).toEqual([
      ['wait cities', 'RangeError'],
    ])
    expect(recording.names).toEqual(['wait cities'])
  })
})
