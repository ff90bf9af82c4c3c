import { createBatcher } from '@heddle/core'
import { crank, virtualClock } from '@heddle/core/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { ended } from '../support/crank.ts'

let clock: ReturnType<typeof virtualClock>
beforeEach(() => {
  clock = virtualClock()
})
afterEach(() => clock[Symbol.dispose]())

describe("onFailure: 'bisect'", () => {
  it('finds the items that fail alone, and answers all others', async () => {
    const batches: (readonly number[])[] = []
    const batcher = createBatcher({
      name: 'bisecting',
      onFailure: 'bisect',
      run(inputs: readonly number[]) {
        batches.push(inputs)
        if (inputs.includes(2) || inputs.includes(7)) throw new Error('poison')
        return inputs
      },
    })
    const ends = await Promise.all([
      ...Array.from({ length: 8 }, (_, n) => ended(batcher.submit(n))),
      clock.settle(),
    ])
    expect(ends.slice(0, 8)).toEqual([0, 1, 'BATCH_FAILED', 3, 4, 5, 6, 'BATCH_FAILED'])
    expect(batches).toEqual([
      [0, 1, 2, 3, 4, 5, 6, 7],
      [0, 1, 2, 3],
      [0, 1],
      [2, 3],
      [2],
      [3],
      [4, 5, 6, 7],
      [4, 5],
      [6, 7],
      [6],
      [7],
    ])
    expect(batcher.stats()).toMatchObject({ fulfilled: 6, inFlight: 0, queued: 0 })
  })

  it('holds the slot until everything has been run again (R6)', async () => {
    const { run, calls } = crank<number>()
    const batcher = createBatcher({ name: 'bisecting', onFailure: 'bisect', run })
    const answers = [1, 2].map((n) => ended(batcher.submit(n)))
    await clock.settle()
    const next = batcher.submit(3)
    calls[0]?.fail(new Error('poison'))
    await clock.settle()
    expect(calls.map(({ inputs }) => inputs)).toEqual([[1, 2], [1]])
    expect(batcher.stats().inFlight).toBe(1)
    calls[1]?.finish([1])
    await clock.settle()
    expect(calls.map(({ inputs }) => inputs)).toEqual([[1, 2], [1], [2]])
    calls[2]?.fail(new Error('poison'))
    await clock.settle()
    expect(calls.map(({ inputs }) => inputs)).toEqual([[1, 2], [1], [2], [3]])
    calls[3]?.finish([3])
    expect(await Promise.all([...answers, next])).toEqual([1, 'BATCH_FAILED', 3])
  })

  it('runs nobody again who has left meanwhile', async () => {
    const { run, calls } = crank<number>()
    const batcher = createBatcher({ name: 'bisecting', onFailure: 'bisect', run })
    const controller = new AbortController()
    const ends = [1, 2, 3, 4].map((n) =>
      ended(batcher.submit(n, n === 3 || n === 1 ? { signal: controller.signal } : {})),
    )
    await clock.settle()
    calls[0]?.fail(new Error('poison'))
    await clock.settle()
    controller.abort(new Error('left'))
    calls[1]?.finish([1, 2])
    await clock.settle()
    calls[2]?.finish([4])
    expect(await Promise.all(ends)).toEqual(['left', 2, 'left', 4])
    expect(calls.map(({ inputs }) => inputs)).toEqual([[1, 2, 3, 4], [1, 2], [4]])
    await clock.settle()
    expect(batcher.stats().inFlight).toBe(0)
  })

  it('runs the item of whoever still waits for the same work, when the first has left', async () => {
    const { run, calls } = crank<{ readonly text: string; readonly who: string }>()
    const batcher = createBatcher({
      name: 'bisecting',
      onFailure: 'bisect',
      run,
      dedupeBy: ({ text }) => text,
    })
    const controller = new AbortController()
    const { signal } = controller
    const first = batcher.submit({ text: 'a', who: 'ann' })
    const left = ended(batcher.submit({ text: 'b', who: 'ann' }, { signal }))
    const stays = batcher.submit({ text: 'b', who: 'bob' })
    await clock.settle()
    calls[0]?.fail(new Error('poison'))
    await clock.settle()
    // While the second half waits to be run again.
    controller.abort(new Error('left'))
    calls[1]?.finish(calls[1].inputs)
    await clock.settle()
    expect(calls[2]?.inputs).toEqual([{ text: 'b', who: 'bob' }])
    calls[2]?.finish(calls[2].inputs)
    expect(await Promise.all([first, left, stays])).toEqual([
      { text: 'a', who: 'ann' },
      'left',
      { text: 'b', who: 'bob' },
    ])
  })

  it('hangs nobody when the batcher is closed in the middle of it', async () => {
    const { run, calls } = crank<number>()
    const batcher = createBatcher({ name: 'bisecting', onFailure: 'bisect', run })
    const ends = [1, 2, 3, 4].map((n) => ended(batcher.submit(n)))
    await clock.settle()
    calls[0]?.fail(new Error('poison'))
    await clock.settle()
    const closed = batcher.close({ timeout: 10 })
    await clock.advance(10)
    await closed
    expect(await Promise.all(ends)).toEqual(Array.from({ length: 4 }, () => 'BATCHER_CLOSED'))
    calls[1]?.finish([1, 2])
    await clock.settle()
    expect(calls).toHaveLength(2)
    expect(batcher.stats().inFlight).toBe(0)
  })

  it('does not run a batch again that returned the wrong number of results', async () => {
    const { run, calls } = crank<number>()
    const batcher = createBatcher({ name: 'bisecting', onFailure: 'bisect', run })
    const ends = [1, 2].map((n) => ended(batcher.submit(n)))
    await clock.settle()
    calls[0]?.finish([1])
    expect(await Promise.all(ends)).toEqual(['RESULT_MISMATCH', 'RESULT_MISMATCH'])
    expect(calls).toHaveLength(1)
  })
})

describe('abortGrace', () => {
  it('takes the slot from a batch that nobody waits for and that does not settle', async () => {
    const { run, calls } = crank<number>()
    const batcher = createBatcher({ name: 'grace', run, abortGrace: 100 })
    const gone = ended(batcher.submit(1, { timeout: 10 }))
    await clock.settle()
    const next = batcher.submit(2)
    await clock.advance(10)
    expect(await gone).toBe('DEADLINE_EXCEEDED')
    expect(calls[0]?.batch.signal.aborted).toBe(true)
    await clock.advance(99)
    expect(calls).toHaveLength(1)
    await clock.advance(1)
    expect(calls.map(({ inputs }) => inputs)).toEqual([[1], [2]])
    // What it does now is nobody's concern, and frees no second slot.
    calls[0]?.finish([1])
    await clock.settle()
    expect(batcher.stats().inFlight).toBe(1)
    calls[1]?.finish([2])
    expect(await next).toBe(2)
    await clock.settle()
    expect([batcher.stats().inFlight, clock.timers]).toEqual([0, 0])
  })

  it('does nothing to a batch that settles in time, nor without the option', async () => {
    const { run, calls } = crank<number>()
    await using patient = createBatcher({ name: 'patient', run })
    const gone = ended(patient.submit(1, { timeout: 10 }))
    await clock.advance(1_000_000)
    expect([await gone, patient.stats().inFlight]).toEqual(['DEADLINE_EXCEEDED', 1])
    calls[0]?.finish([1])
    const batcher = createBatcher({ name: 'grace', run, abortGrace: 100 })
    const late = ended(batcher.submit(2, { timeout: 10 }))
    await clock.advance(50)
    calls[1]?.finish([2])
    await clock.settle()
    expect([await late, batcher.stats().inFlight, clock.timers]).toEqual([
      'DEADLINE_EXCEEDED',
      0,
      0,
    ])
  })
})
