/** On the clock of the process: nothing ticks in a batcher that is idle, and nothing delays one. */
import { type Clock, clock, installClock, type Timer } from '@heddle/context/engine'
import { type BatcherOptions, createBatcher } from '@heddle/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { ended, sleep, turn } from '../support/crank.ts'

/** The clock that was there, and a count of what it is asked for. */
class CountingClock implements Clock {
  readonly #real = clock.installed
  readonly armed = new Set<Timer>()
  readonly cleared = new Set<Timer>()
  /** Turns that were asked for. */
  turns = 0

  now(): number {
    return this.#real.now()
  }

  setTimeout(fn: () => void, delay: number): Timer {
    const timer: Timer = this.#real.setTimeout(() => {
      this.armed.delete(timer)
      fn()
    }, delay)
    const refresh = timer.refresh.bind(timer)
    timer.refresh = () => {
      this.armed.add(timer)
      return refresh()
    }
    this.armed.add(timer)
    return timer
  }

  clearTimeout(timer: Timer | undefined): void {
    if (timer) this.armed.delete(timer)
    this.#real.clearTimeout(timer)
  }

  setImmediate(fn: () => void): void {
    this.turns += 1
    this.#real.setImmediate(fn)
  }

  nextTurn(fn: () => void, delay: number): void {
    this.turns += 1
    this.#real.nextTurn(fn, delay)
  }
}

let counting: CountingClock
let installed: Disposable
beforeEach(() => {
  counting = new CountingClock()
  installed = installClock(counting)
})
afterEach(() => installed[Symbol.dispose]())

const echo = async (inputs: readonly number[]): Promise<readonly number[]> => {
  await sleep(2)
  return inputs
}

const cases: Readonly<Record<string, Partial<BatcherOptions<number, number>>>> = {
  "linger: 'auto'": {},
  'no linger': { linger: 0 },
  'a linger': { linger: 2 },
  'a least size': { minBatchSize: 4, maxConcurrency: 2, maxWait: 5 },
  'deadlines that are met': { timeout: 10_000 },
  'deadlines that are missed': { timeout: 1 },
  'a grace for those who left': { abortGrace: 1 },
}

describe('a batcher that is idle', () => {
  it.each(Object.entries(cases))('has no timer after %s', async (_, options) => {
    const batcher = createBatcher<number, number>({
      name: 'idle',
      run: echo,
      maxBatchSize: 8,
      ...options,
    })
    for (let round = 0; round < 12; round += 1) {
      const controller = new AbortController()
      const answers = Array.from({ length: 10 }, (__, n) =>
        ended(batcher.submit(n, n % 3 === 0 ? { signal: controller.signal } : {})),
      )
      await sleep(round % 4)
      controller.abort(new Error('gone'))
      await Promise.all(answers)
    }
    await batcher.drain()
    // A turn that was asked for before the last batch started may still be due.
    await turn()
    expect(counting.armed.size).toBe(0)
    // Without a timer, only a turn could ask for another.
    const { turns } = counting
    await turn()
    expect(counting.turns).toBe(turns)
  })

  // With a timeout of 1 ms a machine that is busy may miss the deadline itself.
  it.each(Object.entries(cases).filter(([, { linger, timeout }]) => linger !== 2 && timeout !== 1))(
    'starts a batch within one turn of the event loop, with %s',
    async (_, options) => {
      const order: string[] = []
      const batcher = createBatcher<number, number>({
        name: 'prompt',
        ...options,
        run: (inputs) => {
          order.push('started')
          return inputs
        },
      })
      const answer = batcher.submit(1)
      const later = turn().then(() => order.push('two turns later'))
      expect(await answer).toBe(1)
      await later
      expect(order).toEqual(['started', 'two turns later'])
    },
  )
})
