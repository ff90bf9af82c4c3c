import { BatcherError, createBatcher } from '@heddle/core'
import { crank, virtualClock } from '@heddle/core/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { ended } from '../support/crank.ts'

let clock: ReturnType<typeof virtualClock>
beforeEach(() => {
  clock = virtualClock()
})
afterEach(() => clock[Symbol.dispose]())

describe('configure', () => {
  it('holds what waits already to the new size, and starts what is full by it', async () => {
    const { run, calls } = crank<number>()
    const batcher = createBatcher({ name: 'configured', run, linger: 100 })
    const answers = [1, 2, 3].map((n) => batcher.submit(n))
    await clock.settle()
    expect(calls).toEqual([])
    batcher.configure({ maxBatchSize: 2 })
    await clock.settle()
    expect(calls.map(({ inputs, batch }) => [inputs, batch.reason])).toEqual([[[1, 2], 'full']])
    calls[0]?.finish([1, 2])
    await clock.advance(100)
    calls[1]?.finish([3])
    expect(await Promise.all(answers)).toEqual([1, 2, 3])
  })

  it('opens and closes slots', async () => {
    const { run, calls } = crank<number>()
    const batcher = createBatcher({ name: 'configured', run, maxBatchSize: 1 })
    const answers = [1, 2, 3, 4].map((n) => batcher.submit(n))
    await clock.settle()
    expect(calls).toHaveLength(1)
    batcher.configure({ maxConcurrency: 3 })
    await clock.settle()
    expect(calls).toHaveLength(3)
    batcher.configure({ maxConcurrency: 1 })
    for (const [n, count] of [3, 3, 4].entries()) {
      calls[n]?.finish([n + 1])
      await clock.settle()
      expect(calls).toHaveLength(count)
    }
    calls[3]?.finish([4])
    expect(await Promise.all(answers)).toEqual([1, 2, 3, 4])
  })

  it('changes lingering, the room in the queue and the timeout of what comes', async () => {
    const { run, calls } = crank<number>()
    const batcher = createBatcher({ name: 'configured', run, linger: 1_000, maxQueueSize: 1 })
    const first = batcher.submit(1)
    expect(await ended(batcher.submit(2))).toBe('QUEUE_FULL')
    batcher.configure({ maxQueueSize: 2, linger: 5, timeout: 50 })
    const second = ended(batcher.submit(2))
    await clock.advance(5)
    expect(calls.map(({ inputs }) => inputs)).toEqual([[1, 2]])
    await clock.advance(45)
    expect(await second).toBe('DEADLINE_EXCEEDED')
    calls[0]?.finish([1, 2])
    expect(await first).toBe(1)
  })

  it('runs an item alone that has become too large', async () => {
    const { run, calls } = crank<number>()
    const batcher = createBatcher({ name: 'configured', run, cost: (n) => n, linger: 10 })
    const answers = [5, 1, 1].map((n) => batcher.submit(n))
    batcher.configure({ maxBatchCost: 2 })
    await clock.settle()
    for (let n = 0; n < 2; n += 1) {
      calls[n]?.finish(calls[n]?.inputs ?? [])
      await clock.advance(10)
    }
    expect(calls.map(({ inputs }) => inputs)).toEqual([[5], [1, 1]])
    expect(await Promise.all(answers)).toEqual([5, 1, 1])
  })

  it.each([
    [{ maxBatchSize: 0 }, 'Expected `maxBatchSize` to be a whole number of at least 1, got 0'],
    [{ linger: -1 }, "Expected `linger` to be a number of ms of at least 0, or 'auto', got -1"],
    [{ name: 'other' }, 'there is no option `name`'],
    [{ minBatchSize: 2 }, 'there is no option `minBatchSize`'],
  ])('changes nothing when %j is wrong', async (patch, message) => {
    const { run, calls } = crank<number>()
    const batcher = createBatcher({ name: 'configured', run, maxBatchSize: 1 })
    const change = (): void => batcher.configure({ maxConcurrency: 2, ...patch })
    expect(change).toThrow(BatcherError)
    expect(change).toThrow(message)
    void batcher.submit(1)
    void batcher.submit(2)
    await clock.settle()
    expect(calls).toHaveLength(1)
  })
})

describe('minBatchSize', () => {
  it('keeps several slots from sharing out one batch, but never leaves all of them idle', async () => {
    const { run, calls } = crank<number>()
    const batcher = createBatcher({ name: 'hinted', run, maxConcurrency: 4, minBatchSize: 3 })
    const answers = [batcher.submit(1)]
    await clock.settle()
    expect(calls).toHaveLength(1)
    answers.push(batcher.submit(2), batcher.submit(3))
    await clock.settle()
    expect(calls).toHaveLength(1)
    answers.push(batcher.submit(4))
    await clock.settle()
    expect(calls[1]?.inputs).toEqual([2, 3, 4])
    answers.push(batcher.submit(5))
    await clock.settle()
    calls[0]?.finish([1])
    calls[1]?.finish([2, 3, 4])
    await clock.settle()
    expect(calls[2]?.inputs).toEqual([5])
    calls[2]?.finish([5])
    expect(await Promise.all(answers)).toEqual([1, 2, 3, 4, 5])
  })

  it('holds nobody back for longer than `maxWait`', async () => {
    const { run, calls } = crank<number>()
    const batcher = createBatcher({ name: 'hinted', run, maxConcurrency: 2, minBatchSize: 3 })
    const first = batcher.submit(1)
    await clock.settle()
    const second = batcher.submit(2)
    await clock.advance(49)
    expect(calls).toHaveLength(1)
    await clock.advance(1)
    expect(calls[1]?.batch.reason).toBe('maxWait')
    for (const call of calls) call.finish(call.inputs)
    expect(await Promise.all([first, second])).toEqual([1, 2])
  })

  it('is refused when no batch could ever be so large', () => {
    const make = (): unknown =>
      createBatcher({
        name: 'hinted',
        run: (n: readonly number[]) => n,
        maxBatchSize: 2,
        minBatchSize: 3,
      })
    expect(make).toThrow('Expected `minBatchSize` to be at most 2, got 3')
  })
})

describe('stats', () => {
  it('tell how long the oldest item has waited', async () => {
    const { run, calls } = crank<number>()
    const batcher = createBatcher({ name: 'counted', run })
    const answers = [batcher.submit(1)]
    await clock.settle()
    expect(batcher.stats()).toMatchObject({ queued: 0, oldest: 0 })
    answers.push(batcher.submit(2))
    await clock.advance(30)
    answers.push(batcher.submit(3, { priority: 'high' }))
    await clock.advance(12)
    expect(batcher.stats()).toMatchObject({ queued: 2, oldest: 42, inFlight: 1 })
    calls[0]?.finish([1])
    await clock.settle()
    calls[1]?.finish([3, 2])
    expect(await Promise.all(answers)).toEqual([1, 2, 3])
  })
})
