import { createBatcher } from '@heddle/core'
import { virtualClock } from '@heddle/core/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { changedClock } from '../support/changed-clock.ts'
import { crank } from '../support/crank.ts'

let clock: ReturnType<typeof virtualClock>
beforeEach(() => {
  clock = virtualClock()
})
afterEach(() => clock[Symbol.dispose]())

describe('linger', () => {
  it('waits for more items once a slot is free', async () => {
    const { run, calls } = crank<number>()
    const batcher = createBatcher({ name: 'linger', run, linger: 150 })
    const first = batcher.submit(1)
    await clock.advance(149)
    const second = batcher.submit(2)
    await clock.settle()
    expect(calls).toHaveLength(0)
    await clock.advance(1)
    expect(calls.map(({ inputs, batch }) => [inputs, batch.reason])).toEqual([[[1, 2], 'linger']])
    calls[0]?.finish([1, 2])
    expect(await Promise.all([first, second])).toEqual([1, 2])
  })

  it('really waits, also for 1 ms, and where timers ring early', async () => {
    // As those of Node do.
    using _ = changedClock((installed) => ({
      setTimeout: (fn, delay) => installed.setTimeout(fn, delay - 0.5),
    }))
    const starts: number[] = []
    const batcher = createBatcher({
      name: 'linger',
      linger: 1,
      run: (inputs: readonly number[], batch) => {
        starts.push(batch.items[0]?.queuedFor ?? 0)
        return inputs
      },
    })
    for (let n = 0; n < 20; n += 1) {
      const answer = batcher.submit(n)
      await clock.advance(2)
      await answer
    }
    expect(new Set(starts)).toEqual(new Set([1]))
  })

  it('is measured from the moment a slot is free, not from the submit', async () => {
    const { run, calls } = crank<number>()
    const batcher = createBatcher({ name: 'linger', run, linger: 100, maxWait: 10_000 })
    const first = batcher.submit(1)
    await clock.advance(100)
    expect(calls).toHaveLength(1)
    const second = batcher.submit(2)
    await clock.advance(150)
    calls[0]?.finish([1])
    await first
    // It has waited longer than `linger` already, but the slot has only just become free.
    await clock.advance(99)
    const third = batcher.submit(3)
    await clock.settle()
    expect(calls).toHaveLength(1)
    await clock.advance(1)
    expect(calls.map(({ inputs }) => inputs)).toEqual([[1], [2, 3]])
    calls[1]?.finish([2, 3])
    await Promise.all([second, third])
  })

  it('ends when the batch is full', async () => {
    const { run, calls } = crank<number>()
    const batcher = createBatcher({ name: 'linger', run, linger: 60_000, maxBatchSize: 2 })
    const both = [batcher.submit(1), batcher.submit(2)]
    await clock.settle()
    expect(calls.map(({ batch }) => batch.reason)).toEqual(['full'])
    calls[0]?.finish([1, 2])
    await Promise.all(both)
  })

  it('holds an item at most maxWait after its submit', async () => {
    const { run, calls } = crank<number>()
    const batcher = createBatcher({ name: 'linger', run, linger: 60_000, maxWait: 20 })
    const item = batcher.submit(1)
    await clock.advance(19)
    expect(calls).toEqual([])
    await clock.advance(1)
    expect(calls.map(({ batch }) => batch.reason)).toEqual(['maxWait'])
    calls[0]?.finish([1])
    await item
  })

  it('lets a full partition pass one that still lingers', async () => {
    const { run, calls } = crank<string>()
    const batcher = createBatcher({
      name: 'linger',
      run,
      linger: 60_000,
      maxWait: 60_000,
      maxBatchSize: 2,
      partitionBy: (word) => word.charAt(0),
    })
    const lone = batcher.submit('a')
    const pair = [batcher.submit('b1'), batcher.submit('b2')]
    await clock.settle()
    expect(calls.map(({ inputs, batch }) => [inputs, batch.reason])).toEqual([
      [['b1', 'b2'], 'full'],
    ])
    calls[0]?.finish(['b1', 'b2'])
    await Promise.all(pair)
    const drained = batcher.drain()
    await clock.settle()
    expect(calls[1]?.batch.reason).toBe('drain')
    calls[1]?.finish(['a'])
    await drained
    expect(await lone).toBe('a')
  })
})
