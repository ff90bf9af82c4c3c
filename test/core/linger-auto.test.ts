/** What `linger: 'auto'` promises, in virtual time. How well it does is for `bench/policy`. */
import { clock as time } from '@heddle/context/engine'
import { type Batcher, type BatcherOptions, createBatcher, type StartReason } from '@heddle/core'
import { virtualClock } from '@heddle/core/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { randomFrom } from '../support/random.ts'

let clock: ReturnType<typeof virtualClock>
beforeEach(() => {
  clock = virtualClock()
})
afterEach(() => clock[Symbol.dispose]())

interface Ran {
  readonly size: number
  readonly reason: StartReason
  /** ms that its last member waited for it to start. */
  readonly lastWaited: number
  readonly startedAt: number
}

/** A batcher whose batches take `runTime` ms, and what it has run. */
function learning(
  runTime: number,
  options: Partial<BatcherOptions<number, number>> = {},
): { readonly batcher: Batcher<number, number>; readonly ran: Ran[] } {
  const ran: Ran[] = []
  const batcher = createBatcher<number, number>({
    name: 'learning',
    linger: 'auto',
    async run(inputs, { reason, items }) {
      const lastWaited = items.at(-1)?.queuedFor ?? Number.NaN
      ran.push({ size: inputs.length, reason, lastWaited, startedAt: time.now() })
      await wait(runTime)
      return inputs
    },
    ...options,
  })
  return { batcher, ran }
}

function wait(delay: number): Promise<void> {
  return new Promise((resolve) => void time.setTimeout(resolve, delay))
}

/** Clients that ask, think and ask again for so many rounds, half of them 5 ms later than the others. */
async function clients(
  count: number,
  think: number,
  rounds: number,
  batcher: Batcher<number, number>,
): Promise<void> {
  const all = Array.from({ length: count }, async (_, n) => {
    await wait(5 * (n % 2))
    for (let round = 0; round < rounds; round += 1) {
      await wait(think)
      await batcher.submit(n)
    }
  })
  await clock.advance(1e6)
  await Promise.all(all)
}

/** Bursts of items some ms apart, and a long time between bursts. */
async function bursts(
  count: number,
  size: number,
  gap: number,
  batcher: Batcher<number, number>,
): Promise<void> {
  for (let burst = 0; burst < count; burst += 1) {
    for (let n = 0; n < size; n += 1) {
      void batcher.submit(n)
      await clock.advance(gap)
    }
    await clock.advance(97)
  }
}

describe("linger: 'auto'", () => {
  it('does not hold a client that is alone', async () => {
    const { batcher, ran } = learning(5)
    await clients(1, 1, 100, batcher)
    expect(ran).toHaveLength(100)
    expect(new Set(ran.map(({ reason, lastWaited }) => `${reason} ${lastWaited}`))).toEqual(
      new Set(['idle 0']),
    )
  })

  it('does not hold items that come seldom, at random', async () => {
    const { batcher, ran } = learning(5)
    const random = randomFrom(5)
    for (let n = 0; n < 300; n += 1) {
      void batcher.submit(n)
      await clock.advance(-Math.log(1 - random()) * 100)
    }
    expect(ran.filter(({ reason }) => reason !== 'idle').length).toBeLessThan(6)
  })

  it('waits for clients that come back together, which take turns without it', async () => {
    const auto = learning(10)
    await clients(8, 3, 60, auto.batcher)
    expect(new Set(auto.ran.slice(-30).map(({ size }) => size))).toEqual(new Set([8]))
    const natural = learning(10, { linger: 0 })
    await clients(8, 3, 60, natural.batcher)
    expect(new Set(natural.ran.slice(-30).map(({ size }) => size))).toEqual(new Set([4]))
  })

  it('starts when all of them are back', async () => {
    const { batcher, ran } = learning(10)
    await clients(8, 3, 60, batcher)
    expect(new Set(ran.slice(-30).map(({ lastWaited }) => lastWaited))).toEqual(new Set([0]))
  })

  it('gives clients up that no longer come', async () => {
    const { batcher, ran } = learning(10)
    await clients(8, 3, 60, batcher)
    ran.length = 0
    await clients(2, 3, 60, batcher)
    // But for the first, which one of them asks alone, and the last, when the other has gone.
    const together = ran.slice(1, -1)
    expect(new Set(together.map(({ size, lastWaited }) => `${size} ${lastWaited}`))).toEqual(
      new Set(['2 0']),
    )
  })

  it('lets more clients than fit take turns, which is faster than full batches after a wait', async () => {
    const auto = learning(10, { maxBatchSize: 8 })
    await clients(12, 6, 60, auto.batcher)
    // 12 answers in 20 ms; full batches would give 8 in the 16 ms until all are back and have run.
    expect(new Set(auto.ran.slice(20).map(({ size }) => size))).toEqual(new Set([6]))
  })

  it('waits for the rest of a burst, and not when all of it is there', async () => {
    const { batcher, ran } = learning(5)
    await bursts(80, 4, 0.3, batcher)
    const learned = ran.slice(-20)
    expect(new Set(learned.map(({ size, reason }) => `${size} ${reason}`))).toEqual(
      new Set(['4 linger']),
    )
    for (const { lastWaited } of learned) expect(lastWaited).toBeLessThan(0.3)
  })

  it('does not wait where a batch has no fixed cost', async () => {
    const ran: number[] = []
    const batcher = createBatcher<number, number>({
      name: 'proportional',
      linger: 'auto',
      async run(inputs) {
        ran.push(inputs.length)
        await wait(2 * inputs.length)
        return inputs
      },
    })
    await bursts(80, 4, 0.3, batcher)
    // The first starts at once, and the others come while it runs.
    expect(ran.slice(-20)).toEqual(Array.from({ length: 20 }, (_, n) => (n % 2 === 0 ? 1 : 3)))
  })

  it('spreads the batches of several slots over the time', async () => {
    const starts = async (linger: 0 | 'auto'): Promise<number> => {
      const { batcher, ran } = learning(10, { linger, maxConcurrency: 2 })
      for (let n = 0; n < 1_000; n += 1) {
        void batcher.submit(n)
        await clock.advance(0.5)
      }
      await clock.advance(100)
      const gaps = ran.slice(-40).map(({ startedAt }, n, all) => {
        return startedAt - (all[n - 1]?.startedAt ?? startedAt)
      })
      return Math.min(...gaps.slice(1))
    }
    expect(await starts('auto')).toBeGreaterThan(2.5)
    expect(await starts(0)).toBeLessThan(1)
  })

  it('holds nothing while items of several partitions wait', async () => {
    const { batcher, ran } = learning(5, { partitionBy: (n) => String(n % 2) })
    for (let burst = 0; burst < 40; burst += 1) {
      void batcher.submit(0)
      void batcher.submit(1)
      await clock.advance(0.3)
      void batcher.submit(0)
      await clock.advance(97)
    }
    expect(ran.slice(-3).map(({ size, reason }) => `${size} ${reason}`)).toEqual([
      '1 idle',
      '1 idle',
      '1 idle',
    ])
  })
})

describe('a batch that is held', () => {
  /** A batcher that has just decided to wait for the rest of a burst. */
  async function held(options: Partial<BatcherOptions<number, number>> = {}) {
    const { batcher, ran } = learning(5, options)
    await bursts(80, 4, 0.3, batcher)
    ran.length = 0
    const controller = new AbortController()
    const answer = batcher.submit(0, { signal: controller.signal })
    await clock.settle()
    expect(ran).toEqual([])
    return { batcher, ran, answer, controller }
  }

  it('starts when it is full', async () => {
    const { batcher, ran } = await held({ maxBatchSize: 4 })
    for (const n of [1, 2, 3]) void batcher.submit(n)
    await clock.settle()
    expect(ran.map(({ size, reason }) => `${size} ${reason}`)).toEqual(['4 full'])
  })

  it('starts when the batcher drains', async () => {
    const { batcher, ran, answer } = await held()
    const drained = batcher.drain()
    await clock.settle()
    expect(ran.map(({ reason }) => reason)).toEqual(['drain'])
    await clock.advance(5)
    await Promise.all([drained, answer])
  })

  it('starts when it is told not to linger any more', async () => {
    const { batcher, ran } = await held()
    batcher.configure({ linger: 0 })
    await clock.settle()
    expect(ran.map(({ size }) => size)).toEqual([1])
  })

  it('starts after maxWait at the latest', async () => {
    const { ran } = await held({ maxWait: 0.1 })
    await clock.advance(0.1)
    expect(ran.map(({ reason }) => reason)).toEqual(['maxWait'])
  })

  it('leaves no timer when nobody waits for it any more', async () => {
    const { ran, answer, controller } = await held()
    controller.abort(new Error('gone'))
    await expect(answer).rejects.toThrow('gone')
    await clock.advance(1)
    expect(clock.timers).toBe(0)
    await clock.advance(100)
    expect(ran).toEqual([])
  })
})
