/**
 * A timer keeps the context that it was made in for as long as somebody has it: on Bun one that was cleared does,
 * too, and on Node one that is refreshed after it has rung takes on the context of that moment.
 */
import { AsyncLocalStorage } from 'node:async_hooks'

import { runRequest } from '@heddle/context'
import { type Clock, clock, installClock, type Timer } from '@heddle/context/engine'
import { createBatcher, createContinuousBatcher, createStreamBatcher } from '@heddle/core'
import { virtualClock } from '@heddle/core/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { crank, ended, turn, until } from '../support/crank.ts'

const requests = new AsyncLocalStorage<string>()

/** The real one, which notes what is asked of it inside a request. */
class WatchedClock implements Clock {
  readonly asked = { setTimeout: 0, refresh: 0, setImmediate: 0, nextTurn: 0 }
  readonly inside: string[] = []
  readonly #real: Clock = clock.installed

  now(): number {
    return this.#real.now()
  }

  setTimeout(fn: () => void, delay: number): Timer {
    this.#note('setTimeout')
    const timer = this.#real.setTimeout(fn, delay)
    const refresh = timer.refresh.bind(timer)
    timer.refresh = () => {
      this.#note('refresh')
      return refresh()
    }
    return timer
  }

  clearTimeout(timer: Timer | undefined): void {
    this.#real.clearTimeout(timer)
  }

  setImmediate(fn: () => void): void {
    this.#note('setImmediate')
    this.#real.setImmediate(fn)
  }

  nextTurn(fn: () => void, delay: number): void {
    this.#note('nextTurn')
    this.#real.nextTurn(fn, delay)
  }

  #note(what: keyof typeof this.asked): void {
    this.asked[what] += 1
    if (requests.getStore() !== undefined) this.inside.push(what)
  }
}

let watched: WatchedClock
let installed: Disposable
beforeEach(() => {
  watched = new WatchedClock()
  installed = installClock(watched)
})
afterEach(() => installed[Symbol.dispose]())

function inRequest<R>(fn: () => R): R {
  return requests.run('a request', fn)
}

const echo = (ns: readonly number[]): readonly number[] => ns

describe('no timer is made inside a request', () => {
  it('for a turn, a linger or a short wait', async () => {
    for (const options of [{ linger: 0 }, { linger: 1 }, { minBatchSize: 2, maxWait: 1 }, {}]) {
      const batcher = createBatcher<number, number>({ name: 'timers', run: echo, ...options })
      for (let n = 0; n < 20; n += 1) {
        await Promise.all([1, 2, 3].map((input) => inRequest(() => batcher.submit(input))))
      }
    }
    expect(watched.asked.setImmediate).toBeGreaterThan(0)
    expect(watched.asked.setTimeout).toBeGreaterThan(0)
    expect(watched.inside).toEqual([])
  })

  it('for a deadline, though the batcher uses the timer of the last one again', async () => {
    const run = (): Promise<never> => new Promise(() => {})
    const batcher = createBatcher<number, number>({ name: 'again', run, maxConcurrency: 100 })
    // Used again where the delay is the same, in whole ms.
    for (let n = 0; n < 100 && watched.asked.refresh === 0; n += 1) {
      expect(await ended(inRequest(() => batcher.submit(n, { timeout: 2 })))).toBe(
        'DEADLINE_EXCEEDED',
      )
    }
    expect(watched.asked.refresh).toBeGreaterThan(0)
    expect(watched.inside).toEqual([])
  })

  it('for the deadline of a request', () => {
    const isAborted = inRequest(() =>
      runRequest({ timeout: 60_000 }, ({ signal }) => signal.aborted),
    )
    expect(isAborted).toBe(false)
    expect(watched.asked.setTimeout).toBe(1)
    expect(watched.inside).toEqual([])
  })

  it('for the grace of a batch, or the time of a `close`', async () => {
    const { run, calls } = crank<number>()
    const batcher = createBatcher({ name: 'ends', run, abortGrace: 1 })
    const controller = new AbortController()
    const left = inRequest(() => ended(batcher.submit(1, { signal: controller.signal })))
    await until(() => calls.length === 1)
    inRequest(() => controller.abort('left'))
    await left
    await batcher.drain()
    const closing = createBatcher({ name: 'closing', run })
    const answer = inRequest(() => ended(closing.submit(2)))
    await turn()
    await inRequest(() => closing.close({ timeout: 1 }))
    expect(await answer).toBe('BATCHER_CLOSED')
    expect(watched.asked.setTimeout).toBeGreaterThan(1)
    expect(watched.inside).toEqual([])
  })

  it('for consumers that are waited for', async () => {
    const streams = createStreamBatcher<number, number>({
      name: 'streams',
      maxBuffered: 1,
      maxStall: 60_000,
      async *run(inputs) {
        for (let n = 0; n < 4; n += 1) for (const index of inputs.keys()) yield [index, n]
      },
    })
    const steps = createContinuousBatcher<number, { n: number }, number>({
      name: 'steps',
      maxBuffered: 1,
      maxStall: 60_000,
      start: () => ({ n: 0 }),
      step: async (active) =>
        active.map(({ state }) => ({ chunk: (state.n += 1), done: state.n === 4 })),
    })
    for (const batcher of [streams, steps]) {
      const chunks: number[] = []
      await inRequest(async () => {
        for await (const chunk of batcher.stream(1)) {
          chunks.push(chunk)
          await turn()
        }
      })
      expect(chunks).toHaveLength(4)
    }
    expect(watched.asked.setTimeout).toBeGreaterThan(1)
    expect(watched.inside).toEqual([])
  })

  it('for what a virtual clock hands over', async () => {
    const batcher = createBatcher<number, number>({ name: 'left', run: echo, linger: 5 })
    const answer = inRequest(() => {
      using _clock = virtualClock()
      return batcher.submit(1)
    })
    expect(await answer).toBe(1)
    expect(watched.asked.setImmediate).toBeGreaterThan(0)
    expect(watched.inside).toEqual([])
  })
})
