/**
 * Tests of apps replace the functions of time: Vitest, Jest and Sinon the globals, `bun test` what is behind
 * them. Whatever they do, a batcher of the module that is tested must answer the next test.
 */
import { runRequest } from '@heddle/context'
import { type Clock, clock, installClock, type Timer } from '@heddle/context/engine'
import { createBatcher, createContinuousBatcher, createStreamBatcher } from '@heddle/core'
import DataLoader from '@heddle/core/dataloader'
import { afterEach, describe, expect, it, vi } from 'vitest'

import { ended, sleep, turn } from '../support/crank.ts'

const isBun = 'Bun' in globalThis
const real = {
  setTimeout,
  clearTimeout,
  setInterval,
  clearInterval,
  setImmediate,
  clearImmediate,
  queueMicrotask,
  performance,
  Date,
}
const { nextTick } = process

type Name = keyof typeof real

/**
 * Puts functions in the places of these that forget what our packages ask them for, and time that stands
 * still for them. What others want meanwhile, the test framework above all, they still get.
 */
function forget(names: readonly Name[]): void {
  const timer = { ref: () => timer, unref: () => timer, refresh: () => timer }
  const given = { setTimeout: timer, setInterval: timer, setImmediate: {} } as const
  for (const name of names) {
    const fake =
      name === 'performance'
        ? { ...timeOf(real.performance), timeOrigin: 0 }
        : name === 'Date'
          ? class extends Date {
              static override now = timeOf(real.Date).now
            }
          : forgetful(real[name], name in given ? given[name as keyof typeof given] : undefined)
    Object.assign(globalThis, { [name]: fake })
  }
}

function forgetful(original: (...args: any[]) => unknown, result: unknown): unknown {
  return (...args: unknown[]) => (isOurs() ? result : original(...args))
}

function timeOf(original: { now(): number }): { now(): number } {
  return { now: () => (isOurs() ? 0 : original.now()) }
}

/** Whether a package of ours has called the function that asks. */
function isOurs(): boolean {
  return /[\\/]packages[\\/]\w+[\\/]src[\\/]/.test(new Error('for its stack').stack ?? '')
}

const SINON: readonly Name[] = [
  'setTimeout',
  'clearTimeout',
  'setInterval',
  'clearInterval',
  'setImmediate',
  'clearImmediate',
]
const ALL = Object.keys(real) as Name[]

const fakes: Readonly<Record<string, () => void>> = {
  'of timers': () => forget(SINON),
  'of everything': () => {
    forget(ALL)
    process.nextTick = forgetful(nextTick, undefined) as typeof nextTick
  },
  'of timers alone': () => forget(['setTimeout', 'clearTimeout']),
  'of microtasks': () => forget(['queueMicrotask']),
  'of the time': () => forget(['performance', 'Date']),
  'of the test framework': () => void vi.useFakeTimers(),
}

function restore(): void {
  Object.assign(globalThis, real)
  process.nextTick = nextTick
  vi.useRealTimers()
}
afterEach(restore)

/** A batcher, or what is made of one, that an app has at module level; each answers with its input. */
const answering: Readonly<Record<string, () => (n: number) => Promise<unknown>>> = {
  'a batcher without a linger': () => submitOf({ linger: 0 }),
  "a batcher with linger: 'auto'": () => submitOf({}),
  'a batcher with a linger': () => submitOf({ linger: 5 }),
  'a batcher of microtasks': () => submitOf({ coalesce: 'microtask' }),
  'a batcher with deadlines that are met': () => submitOf({ linger: 0, timeout: 60_000 }),
  'a batcher with a least size': () => submitOf({ minBatchSize: 4, maxWait: 5 }),
  'a loader': () => {
    const loader = new DataLoader<number, number>(async (keys) => keys)
    return (n) => loader.load(n)
  },
  'a stream batcher': () => {
    const batcher = createStreamBatcher<number, number>({
      name: 'streams',
      async *run(inputs) {
        for (const [index, input] of inputs.entries()) yield [index, input]
      },
    })
    return async (n) => (await Array.fromAsync(batcher.stream(n)))[0]
  },
  'a continuous batcher': () => {
    const batcher = createContinuousBatcher<number, number, number>({
      name: 'steps',
      start: (n) => n,
      step: async (active) => active.map(({ state }) => ({ chunk: state, done: true })),
    })
    return async (n) => (await Array.fromAsync(batcher.stream(n)))[0]
  },
}

function submitOf(
  options: Partial<Parameters<typeof createBatcher<number, number>>[0]>,
): (n: number) => Promise<number> {
  const batcher = createBatcher<number, number>({ name: 'living-on', run: (ns) => ns, ...options })
  return (n) => batcher.submit(n)
}

const cases = Object.entries(answering).flatMap(([name, make]) =>
  Object.entries(fakes).map(([what, fake]) => [name, what, make, fake] as const),
)

describe('what lives on from test to test', () => {
  it.each(cases)('%s answers after fakes %s', async (_name, _what, make, fake) => {
    const submit = make()
    fake()
    const during = submit(1)
    for (let n = 0; n < 3; n += 1) await Promise.resolve()
    restore()
    await turn()
    expect(await submit(2)).toBe(2)
    expect(await during).toBe(1)
  })

  // What `bun test` replaces is not to be had otherwise; its timers come when the test moves them.
  const lasting = cases.filter(([, what]) => !(isBun && what === 'of the test framework'))
  it.each(lasting)('%s answers during fakes %s', async (_name, _what, make, fake) => {
    const submit = make()
    fake()
    expect(await submit(1)).toBe(1)
    expect(await submit(2)).toBe(2)
  })

  it.each(Object.entries(fakes))('ends at its deadlines after fakes %s', async (_what, fake) => {
    const batcher = createBatcher<number, number>({
      name: 'late',
      timeout: 20,
      run: () => new Promise(() => {}),
    })
    fake()
    const during = ended(batcher.submit(1))
    await Promise.resolve()
    restore()
    await sleep(30)
    expect(await ended(batcher.submit(2))).toBe('DEADLINE_EXCEEDED')
    expect(await during).toBe('DEADLINE_EXCEEDED')
  })

  const kept = Object.entries(fakes).filter(
    ([what]) => !(isBun && what === 'of the test framework'),
  )
  it.each(kept)('aborts a request at its deadline after fakes %s', async (_what, fake) => {
    fake()
    const aborted = runRequest({ timeout: 5 }, async ({ signal }) => {
      if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve))
      return (signal.reason as Error).name
    })
    restore()
    expect(await aborted).toBe('TimeoutError')
  })

  it('is closed in its time during fakes of timers', async () => {
    const batcher = createBatcher<number, number>({
      name: 'closing',
      run: () => new Promise(() => {}),
    })
    const answer = ended(batcher.submit(1))
    await turn()
    forget(SINON)
    await batcher.close({ timeout: 5 })
    expect(await answer).toBe('BATCHER_CLOSED')
  })
})

it('the reading of the clock that submits share is made anew after fakes of microtasks', async () => {
  forget(['queueMicrotask'])
  const before = clock.shared()
  restore()
  await sleep(2)
  expect(clock.shared()).toBeGreaterThan(before)
})

it('an alarm that never comes is set again by the next submit (R12)', async () => {
  const stopping = new ForgetfulClock()
  using _installed = installClock(stopping)
  const batcher = createBatcher<number, number>({
    name: 'forgotten',
    timeout: 20,
    run: () => new Promise(() => {}),
  })
  stopping.forgets = true
  const first = ended(batcher.submit(1))
  await sleep(30)
  stopping.forgets = false
  const second = ended(batcher.submit(2))
  expect(await Promise.all([first, second])).toEqual(['DEADLINE_EXCEEDED', 'DEADLINE_EXCEEDED'])
})

/** The real one, but for timers that never ring. */
class ForgetfulClock implements Clock {
  forgets = false
  readonly #real: Clock = clock.installed

  now(): number {
    return this.#real.now()
  }

  setTimeout(fn: () => void, delay: number): Timer {
    return this.#real.setTimeout(this.forgets ? () => {} : fn, delay)
  }

  clearTimeout(timer: Timer | undefined): void {
    this.#real.clearTimeout(timer)
  }

  setImmediate(fn: () => void): void {
    this.#real.setImmediate(fn)
  }

  nextTurn(fn: () => void, delay: number): void {
    this.#real.nextTurn(fn, delay)
  }
}
