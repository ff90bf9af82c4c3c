import { runRequest } from '@heddle/context'
import { clock as processClock } from '@heddle/context/engine'
import { createBatcher, createContinuousBatcher } from '@heddle/core'
import DataLoader from '@heddle/core/dataloader'
import { crank, virtualClock } from '@heddle/core/testing'
import { describe, expect, it } from 'vitest'

import { echo, ended, turn, until } from '../support/crank.ts'

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

/** A test that fails, or forgets, leaves work behind; the next one uses the same batcher. */
describe('virtualClock, put away while work waits', () => {
  it.each<[string, Partial<Parameters<typeof createBatcher<number, number>>[0]>]>([
    ['no linger', { linger: 0 }],
    ["linger: 'auto'", {}],
    ['a linger', { linger: 5 }],
    ['a linger and deadlines', { linger: 5, timeout: 60_000 }],
    ['microtasks', { coalesce: 'microtask' }],
  ])('lets it go on, and what comes after it, with %s', async (_, options) => {
    const { run, batches } = echo<number>()
    const batcher = createBatcher({ name: 'left-behind', run, ...options })
    let waiting: Promise<number>
    {
      using clock = virtualClock()
      await clock.advance(1_000)
      waiting = batcher.submit(1)
    }
    expect(await waiting).toBe(1)
    expect(await batcher.submit(2)).toBe(2)
    expect(batches).toEqual([[1], [2]])
    expect(batcher.stats()).toMatchObject({ queued: 0, inFlight: 0, oldest: 0 })
  })

  it('starts what waits with the next submit', async () => {
    const { run, batches } = echo<number>()
    const batcher = createBatcher({ name: 'left-behind', run, linger: 60_000 })
    let waiting: Promise<number>
    {
      using _clock = virtualClock()
      waiting = batcher.submit(1)
    }
    expect(await Promise.all([waiting, batcher.submit(2)])).toEqual([1, 2])
    expect(batches).toEqual([[1, 2]])
  })

  it('forgets what the policy has learned of times that were ahead', async () => {
    const { run, calls } = crank<number>()
    const batcher = createBatcher({ name: 'learned', run, maxWait: 60_000 })
    const round = async (wait: () => Promise<void>): Promise<void> => {
      const answers = Promise.all([batcher.submit(1), batcher.submit(2), batcher.submit(3)])
      await wait()
      calls.at(-1)?.finish([1, 2, 3])
      expect(await answers).toEqual([1, 2, 3])
    }
    {
      using clock = virtualClock()
      // Clients that come back together, which a batch waits for.
      for (let n = 0; n < 30; n += 1) await round(() => clock.advance(20))
    }
    const alone = batcher.submit(1)
    await until(() => calls.length === 31)
    calls.at(-1)?.finish([1])
    expect(await alone).toBe(1)
  })

  it('keeps deadlines at the distance that they had', async () => {
    const { run, calls } = crank<number>()
    const batcher = createBatcher({ name: 'deadlines', run, maxConcurrency: 8 })
    let soon: Promise<unknown>
    let late: Promise<number>
    {
      using clock = virtualClock()
      soon = ended(batcher.submit(1, { timeout: 1_020 }))
      late = batcher.submit(2, { timeout: 61_000 })
      await clock.advance(1_000)
    }
    expect(await soon).toBe('DEADLINE_EXCEEDED')
    // The alarm has been set for the other one, which is far off.
    await turn()
    calls[0]?.finish([1, 2])
    expect(await late).toBe(2)
  })

  it('keeps the deadline of a request', async () => {
    let expired: Promise<unknown>
    {
      using clock = virtualClock()
      expired = runRequest({ timeout: 1_010 }, async ({ signal }) => {
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
        return (signal.reason as Error).name
      })
      await clock.advance(1_000)
    }
    expect(await expired).toBe('TimeoutError')
  })

  it('gives a slot that an abandoned batch has held back when its grace is over', async () => {
    const { run, calls } = crank<number>()
    const batcher = createBatcher({ name: 'grace', run, maxConcurrency: 1, abortGrace: 20 })
    {
      using clock = virtualClock()
      const left = ended(batcher.submit(1, { timeout: 10 }))
      await clock.advance(10)
      expect(await left).toBe('DEADLINE_EXCEEDED')
    }
    const next = batcher.submit(2)
    await until(() => calls.length === 2)
    calls[1]?.finish([2])
    expect(await next).toBe(2)
  })

  it('lets `close` give up in its time', async () => {
    const { run } = crank<number>()
    const batcher = createBatcher({ name: 'closing', run })
    let closed: Promise<void>
    let answer: Promise<unknown>
    {
      using clock = virtualClock()
      answer = ended(batcher.submit(1))
      await clock.settle()
      closed = batcher.close({ timeout: 10 })
    }
    await closed
    expect(await answer).toBe('BATCHER_CLOSED')
  })

  it('lets a loader and a continuous batcher go on', async () => {
    const loader = new DataLoader<number, number>(async (keys) => keys)
    const steps = createContinuousBatcher<number, number, number>({
      name: 'steps',
      start: (n) => n,
      step: async (active) => active.map(({ state }) => ({ chunk: state, done: true })),
    })
    let waiting: Promise<unknown[]>
    {
      using _clock = virtualClock()
      waiting = Promise.all([loader.load(1), Array.fromAsync(steps.stream(1))])
      for (let n = 0; n < 20; n += 1) await Promise.resolve()
    }
    expect(await waiting).toEqual([1, [1]])
    expect([await loader.load(2), await Array.fromAsync(steps.stream(2))]).toEqual([2, [2]])
  })

  it('clears a timer that has been handed over', async () => {
    let rings = 0
    let timer
    {
      using _clock = virtualClock()
      timer = processClock.setTimeout(() => (rings += 1), 1)
    }
    processClock.clearTimeout(timer)
    await new Promise((resolve) => processClock.setTimeout(() => resolve(undefined), 5))
    expect(rings).toBe(0)
  })

  it('clears a timer that was made before it was there', async () => {
    let rings = 0
    const timer = processClock.setTimeout(() => (rings += 1), 1)
    {
      using _clock = virtualClock()
      processClock.clearTimeout(timer)
    }
    await new Promise((resolve) => processClock.setTimeout(() => resolve(undefined), 5))
    expect(rings).toBe(0)
  })

  it('may be done in any order, and twice', async () => {
    const system = processClock.installed
    const first = virtualClock()
    const second = virtualClock()
    const { run } = echo<number>()
    const batcher = createBatcher({ name: 'nested', run, linger: 5 })
    first[Symbol.dispose]()
    const answer = batcher.submit(1)
    await second.advance(5)
    expect(await answer).toBe(1)
    second[Symbol.dispose]()
    second[Symbol.dispose]()
    first[Symbol.dispose]()
    expect(processClock.installed).toBe(system)
    expect(await batcher.submit(2)).toBe(2)
  })
})
