import { runRequest } from '@heddle/context'
import { createBatcher } from '@heddle/core'
import { crank, virtualClock } from '@heddle/core/testing'
import { describe, expect, it } from 'vitest'

import { echo, ended } from '../support/crank.ts'

describe('virtualClock', () => {
  it('stands still until it is moved, and moves no further', async () => {
    using clock = virtualClock()
    const { run, batches } = echo<number>()
    const batcher = createBatcher({ name: 'lingering', run, linger: 5 })
    const answer = batcher.submit(1)
    await clock.advance(4.999)
    expect(batches).toEqual([])
    await clock.advance(0.001)
    expect(batches).toEqual([[1]])
    expect(await answer).toBe(1)
  })

  it('starts at the same time whenever it is made, so that sums of times are rounded alike', async () => {
    const start = (): number => {
      using clock = virtualClock()
      return clock.now()
    }
    const first = start()
    const before = performance.now()
    while (Math.ceil(performance.now()) === Math.ceil(before)) await Promise.resolve()
    expect(start()).toBe(first)
  })

  it('starts what need not wait without moving', async () => {
    using clock = virtualClock()
    const before = clock.now()
    const { run, batches } = echo<number>()
    const batcher = createBatcher({ name: 'idle', run })
    void batcher.submit(1)
    void batcher.submit(2)
    expect(batches).toEqual([])
    await clock.settle()
    expect(batches).toEqual([[1, 2]])
    expect(clock.now()).toBe(before)
  })

  it('runs what is due on the way at its own time, in the order of the times', async () => {
    using clock = virtualClock()
    const start = clock.now()
    const { run } = crank<number>()
    const batcher = createBatcher({ name: 'late', run })
    const ends: [number, unknown, number][] = []
    for (const timeout of [300, 100, 200]) {
      void ended(batcher.submit(timeout, { timeout })).then((how) =>
        ends.push([timeout, how, clock.now() - start]),
      )
    }
    await clock.advance(1_000)
    expect(ends).toEqual([
      [100, 'DEADLINE_EXCEEDED', 100],
      [200, 'DEADLINE_EXCEEDED', 200],
      [300, 'DEADLINE_EXCEEDED', 300],
    ])
    expect(clock.now()).toBe(start + 1_000)
  })

  it('holds for the deadlines and the ages of scopes', async () => {
    using clock = virtualClock()
    const { run } = crank<number>()
    const batcher = createBatcher({ name: 'in-a-scope', run })
    await runRequest({ timeout: 60_000 }, async (scope) => {
      const end = ended(batcher.submit(1))
      const { signal } = scope
      await clock.advance(59_999)
      expect(signal.aborted).toBe(false)
      await clock.advance(1)
      expect(signal.aborted).toBe(true)
      expect(await end).toBe('DEADLINE_EXCEEDED')
      expect(scope.elapsed()).toBe(60_000)
    })
  })

  it('has no timer when nothing waits', async () => {
    using clock = virtualClock()
    const { run, calls } = crank<number>()
    const batcher = createBatcher({ name: 'resting', run, linger: 5, timeout: 1_000 })
    const answer = batcher.submit(1)
    await clock.advance(5)
    expect(clock.timers).toBe(1)
    calls[0]?.finish([1])
    await answer
    await clock.settle()
    expect(clock.timers).toBe(0)
  })

  it('is put away with the test', async () => {
    {
      using clock = virtualClock()
      await clock.advance(1e9)
    }
    const { run } = echo<number>()
    const batcher = createBatcher({ name: 'real', run })
    expect(await batcher.submit(1, { timeout: 60_000 })).toBe(1)
  })

  it('may be installed anew for each test of a batcher that lives on', async () => {
    const { run, batches } = echo<number>()
    const batcher = createBatcher({ name: 'living-on', run, linger: 5 })
    for (const n of [1, 2, 3]) {
      using clock = virtualClock()
      const answers = [batcher.submit(n)]
      await clock.advance(5)
      answers.push(batcher.submit(-n))
      await clock.advance(5)
      expect(await Promise.all(answers)).toEqual([n, -n])
    }
    expect(await batcher.submit(4)).toBe(4)
    expect(batches).toEqual([[1], [-1], [2], [-2], [3], [-3], [4]])
  })

  it('does not run backwards', async () => {
    using clock = virtualClock()
    expect(await ended(clock.advance(-1))).toBe('Expected a number of ms of at least 0, got -1')
    expect(await ended(clock.advance(Number.NaN))).toContain('got NaN')
  })
})
