import { subscribe, unsubscribe } from 'node:diagnostics_channel'

import { runRequest } from '@heddle/context'
import { BatcherError, createContinuousBatcher, type StepResult } from '@heddle/core'
import { virtualClock } from '@heddle/core/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { loom } from './loom.ts'
import { drained } from './tap.ts'

let clock: ReturnType<typeof virtualClock>
beforeEach(() => {
  clock = virtualClock()
})
afterEach(() => clock[Symbol.dispose]())

interface Options {
  readonly maxActive?: number
  readonly maxBuffered?: number
  readonly start?: (input: string) => never
  readonly end?: () => Promise<void>
}

function woven(options: Options = {}) {
  const work = loom<string, number>()
  const batcher = createContinuousBatcher({ name: 'woven', ...work.functions, ...options })
  const finish = async (...results: readonly StepResult<number>[]): Promise<void> => {
    work.now.finish(...results)
    await clock.settle()
  }
  const ends = (): readonly number[] => work.states.map((state) => state.ends)
  return { batcher, work, finish, ends }
}

/** What `next()` was rejected with. */
async function errorOf(stream: AsyncIterator<unknown>): Promise<Error> {
  const [end] = await Promise.allSettled([stream.next()])
  return (end as PromiseRejectedResult).reason as Error
}

describe('an item that fails', () => {
  it('fails alone, with its own error, after its chunks', async () => {
    const { batcher, finish, ends } = woven()
    const streams = ['a', 'b'].map((input) => drained(batcher.stream(input)))
    await clock.settle()
    await finish({ chunk: 1, error: new Error('no more of a') }, { chunk: 10 })
    expect(ends()).toEqual([1, 0])
    await finish({ done: true })
    expect(await Promise.all(streams)).toEqual([[1, 'no more of a'], [10]])
    expect(batcher.stats()).toMatchObject({ fulfilled: 1, rejected: { item: 1 } })
  })

  it('gives no error object to two consumers (R8)', async () => {
    const { batcher, finish } = woven()
    const streams = ['a', 'b'].map((input) => batcher.stream(input))
    await clock.settle()
    const error = new Error('same')
    await finish({ error }, { error })
    const [first, second] = await Promise.all(streams.map(errorOf))
    expect(first).toBe(error)
    expect(second).toMatchObject({ code: 'BATCH_FAILED', cause: error })
  })

  it.each(['throws', 'rejects'])('fails alone when `start` %s, and has no end', async (how) => {
    const cause = new Error('no such prompt')
    const work = loom<string, number>()
    const batcher = createContinuousBatcher({
      name: 'picky',
      ...work.functions,
      start: (input: string, item) => {
        if (input !== 'bad') return work.functions.start(input, item)
        if (how === 'throws') throw cause
        return Promise.reject(cause)
      },
    })
    const bad = batcher.stream('bad')
    const good = drained(batcher.stream('good'))
    const error = errorOf(bad)
    await clock.settle()
    work.now.finish({ done: true })
    await clock.settle()
    expect(await error).toMatchObject({ code: 'BATCH_FAILED', cause })
    expect((await error).message).toBe('Batcher `picky`: `start` failed: Error: no such prompt')
    expect(await good).toEqual([])
    expect(work.steps.map(({ inputs }) => inputs)).toEqual([['good']])
    expect(batcher.stats()).toMatchObject({ inFlight: 0, rejected: { BATCH_FAILED: 1 } })
  })
})

describe('a step that fails', () => {
  it('fails all that it has, each with an error of its own, and nobody else (R8)', async () => {
    const { batcher, work, finish, ends } = woven({ maxBuffered: 1 })
    const [a, b, paused] = ['a', 'b', 'paused'].map((input) => batcher.stream(input))
    const firsts = [a?.next(), b?.next()]
    await clock.settle()
    await finish({ chunk: 1 }, { chunk: 10 }, { chunk: 20 })
    expect((await Promise.all(firsts)).map((first) => first?.value)).toEqual([1, 10])
    const later = drained(batcher.stream('later'))
    await clock.settle()
    expect(work.now.inputs).toEqual(['a', 'b'])
    const cause = new Error('out of memory')
    work.now.fail(cause)
    await clock.settle()
    const errors = await Promise.all(
      [a, b].map((stream) => errorOf(stream as AsyncIterator<number>)),
    )
    expect(errors).toEqual([
      expect.objectContaining({ code: 'BATCH_FAILED', cause }),
      expect.objectContaining({ code: 'BATCH_FAILED', cause }),
    ])
    expect(errors[0]).not.toBe(errors[1])
    expect(errors[0]).toBeInstanceOf(BatcherError)
    expect(errors[0]?.message).toBe('Batcher `woven`: `step` failed: Error: out of memory')
    expect(ends()).toEqual([1, 1, 0, 0])
    expect(work.now.inputs).toEqual(['later'])
    await finish({ done: true })
    expect(await later).toEqual([])
    expect(await paused?.next()).toEqual({ done: false, value: 20 })
    await clock.settle()
    await finish({ done: true })
    expect(await drained(paused as AsyncIterable<number>)).toEqual([])
    expect(batcher.stats().inFlight).toBe(0)
  })

  it('may fail before it is asynchronous', async () => {
    const cause = new TypeError('not a model')
    const ended: string[] = []
    const batcher = createContinuousBatcher<string, string, number>({
      name: 'sync',
      start: (input) => input,
      step: () => {
        throw cause
      },
      end: (state) => void ended.push(state),
    })
    const error = errorOf(batcher.stream('a'))
    await clock.settle()
    expect(await error).toMatchObject({ code: 'BATCH_FAILED', cause })
    expect(ended).toEqual(['a'])
  })

  it.each([
    ['too few', [{}], 'one result per active item: 2, got 1'],
    ['too many', [{}, {}, {}], 'one result per active item: 2, got 3'],
    ['no array', undefined, 'got no array but undefined'],
    ['a bare chunk', [{}, 7], 'result 1 of `step` to be an object or undefined, got number'],
    ['null', [null, {}], 'result 0 of `step` to be an object or undefined, got null'],
    ['chunks that are none', [{ chunks: 'ab' }, {}], 'one with an array of `chunks`, got string'],
    ['an error that is none', [{}, { error: 'x' }], 'one with an Error as `error`, got string'],
  ])('is one that returns %s, of which nothing is taken', async (_case, results, message) => {
    const ended: string[] = []
    const batcher = createContinuousBatcher<string, string, number>({
      name: 'wrong',
      start: (input) => input,
      step: () => Promise.resolve(results as never),
      end: (state) => void ended.push(state),
    })
    const streams = ['a', 'b'].map((input) => batcher.stream(input))
    const errors = Promise.all(streams.map(errorOf))
    await clock.settle()
    const [first, second] = await errors
    for (const error of [first, second]) {
      expect(error).toMatchObject({ code: 'RESULT_MISMATCH' })
      expect(error?.message).toContain(message)
    }
    expect(first).not.toBe(second)
    expect(ended).toEqual(['a', 'b'])
  })

  it('is one whose results cannot be read', async () => {
    const trap = {
      get chunk(): number {
        throw new Error('trap')
      },
    }
    const { batcher, finish, ends } = woven()
    const streams = ['a', 'b'].map((input) => drained(batcher.stream(input)))
    await clock.settle()
    await finish({ chunk: 1 }, trap)
    expect(await Promise.all(streams)).toEqual([['BATCH_FAILED'], ['BATCH_FAILED']])
    expect(ends()).toEqual([1, 1])
  })
})

describe('a consumer of a continuous batcher that leaves', () => {
  it('gives up its place in the queue', async () => {
    const { batcher, work, finish } = woven({ maxActive: 1 })
    const a = drained(batcher.stream('a'))
    const b = batcher.stream('b')
    await clock.settle()
    await b.return?.()
    await finish({ done: true })
    expect(await a).toEqual([])
    expect(work.states.map(({ input }) => input)).toEqual(['a'])
  })

  it('during `start` gets no step; what was made has its end', async () => {
    let started = (): void => {}
    const work = loom<string, number>()
    const batcher = createContinuousBatcher({
      name: 'slow',
      ...work.functions,
      start: async (input: string, item) => {
        await new Promise<void>((resolve) => {
          started = resolve
        })
        return work.functions.start(input, item)
      },
    })
    const stream = batcher.stream('a')
    await clock.settle()
    await stream.return?.()
    await clock.settle()
    // Its place is taken until `start` has settled (R6).
    expect(batcher.stats().inFlight).toBe(1)
    started()
    await clock.settle()
    expect(work.states.map(({ ends, steps }) => [ends, steps])).toEqual([[1, 0]])
    expect([work.steps.length, batcher.stats().inFlight]).toEqual([0, 0])
  })

  it('during a step keeps its state until that has ended, and its place (R6)', async () => {
    const { batcher, work, finish, ends } = woven()
    const a = batcher.stream('a')
    const b = drained(batcher.stream('b'))
    await clock.settle()
    const { signal, active } = work.now
    await a.return?.()
    await clock.settle()
    const signals = active.map(({ item }) => item.signal.aborted)
    expect([signals, signal.aborted]).toEqual([[true, false], false])
    expect([ends(), batcher.stats().inFlight]).toEqual([[0, 0], 2])
    await finish({ chunk: 1 }, { chunk: 10 })
    expect([ends(), batcher.stats().inFlight]).toEqual([[1, 0], 1])
    expect(await a.next()).toEqual({ done: true, value: undefined })
    await finish({ done: true })
    expect(await b).toEqual([10])
    expect(work.steps.map(({ inputs }) => inputs)).toEqual([['a', 'b'], ['b']])
  })

  it('as the last one of a step ends its signal (R7), also if nobody has looked at it yet', async () => {
    const { batcher, work, finish, ends } = woven()
    const streams = ['a', 'b'].map((input) => batcher.stream(input))
    await clock.settle()
    const reasons: unknown[] = []
    const [first] = streams
    await first?.return?.()
    work.now.signal.addEventListener('abort', () => reasons.push(work.now.signal.reason))
    await streams[1]?.return?.()
    expect(reasons).toEqual([expect.objectContaining({ name: 'AbortError' })])
    work.now.fail(new Error('given up'))
    await clock.settle()
    expect([ends(), batcher.stats().inFlight]).toEqual([[1, 1], 0])
    expect(batcher.stats().rejected).toMatchObject({ aborted: 2, BATCH_FAILED: 0 })
    await finish()
    expect(work.steps).toHaveLength(1)
  })

  it('while it is left out of the steps has its end at once, and its chunks are gone', async () => {
    const { batcher, work, finish, ends } = woven({ maxBuffered: 1 })
    const paused = batcher.stream('paused')
    const b = drained(batcher.stream('b'))
    await clock.settle()
    await finish({ chunk: 1 }, undefined)
    expect(work.now.inputs).toEqual(['b'])
    await paused.return?.()
    expect(ends()).toEqual([1, 0])
    expect(await paused.next()).toEqual({ done: true, value: undefined })
    await finish({ done: true })
    expect(await b).toEqual([])
    expect([batcher.stats().inFlight, clock.timers]).toEqual([0, 0])
  })

  it('is one whose request was aborted, or whose deadline has passed', async () => {
    const { batcher, finish, ends } = woven()
    const client = new AbortController()
    const left = runRequest({ signal: client.signal }, () => drained(batcher.stream('left')))
    const late = drained(batcher.stream('late', { timeout: 50 }))
    const other = drained(batcher.stream('other'))
    await clock.settle()
    await finish({ chunk: 1 }, { chunk: 10 }, { chunk: 20 })
    client.abort(new Error('the client has left'))
    await clock.advance(50)
    expect(ends()).toEqual([0, 0, 0])
    await finish({ chunk: 2 }, { chunk: 11 }, { chunk: 21 })
    expect(ends()).toEqual([1, 1, 0])
    await finish({ done: true })
    expect(await Promise.all([left, late, other])).toEqual([
      [1, 'the client has left'],
      [10, 'DEADLINE_EXCEEDED'],
      [20, 21],
    ])
  })

  it('after its end changes nothing, nor does a deadline', async () => {
    const { batcher, finish, ends } = woven()
    const done = batcher.stream('done', { timeout: 50 })
    const other = drained(batcher.stream('other'))
    await clock.settle()
    await finish({ chunk: 1, done: true }, {})
    await clock.advance(50)
    expect(await done.next()).toEqual({ done: false, value: 1 })
    expect(await done.return?.()).toEqual({ done: true, value: undefined })
    await finish({ done: true })
    expect(await other).toEqual([])
    expect(ends()).toEqual([1, 1])
    expect(batcher.stats()).toMatchObject({ fulfilled: 2, rejected: { aborted: 0 } })
  })

  it('causes no unhandled rejection, nor does one that never looks', async () => {
    const unhandled: unknown[] = []
    const note = (error: unknown): void => void unhandled.push(error)
    process.on('unhandledRejection', note)
    const { batcher, work } = woven()
    batcher.stream('never read')
    const stream = batcher.stream('left')
    await clock.settle()
    await stream.return?.()
    work.now.fail(new Error('down'))
    await clock.settle()
    await batcher.close()
    batcher.stream('too late')
    await clock.settle()
    process.off('unhandledRejection', note)
    expect(unhandled).toEqual([])
  })
})

describe('`end`', () => {
  it.each([
    ['throws', () => fail()],
    ['rejects', () => Promise.reject(new Error('on purpose'))],
    // oxlint-disable-next-line unicorn/no-thenable
    ['returns a broken thenable', () => Object.defineProperty({}, 'then', { get: () => fail() })],
  ])('changes nothing when it %s, but is reported', async (_case, end) => {
    const warnings: unknown[] = []
    const note = (warning: unknown): void => void warnings.push(warning)
    subscribe('heddle:warning', note)
    const { batcher, finish } = woven({ end: end as () => Promise<void> })
    const streams = ['a', 'b'].map((input) => drained(batcher.stream(input)))
    await clock.settle()
    await finish({ chunk: 1, done: true }, { chunk: 10 })
    await finish({ done: true })
    unsubscribe('heddle:warning', note)
    expect(await Promise.all(streams)).toEqual([[1], [10]])
    expect(warnings).toEqual([
      expect.objectContaining({ code: 'CALLBACK_FAILED', cause: new Error('on purpose') }),
      expect.objectContaining({ code: 'CALLBACK_FAILED', cause: new Error('on purpose') }),
    ])
    expect(batcher.stats()).toMatchObject({ fulfilled: 2, inFlight: 0 })
  })

  it('holds its place until it has settled, but neither its consumer nor a step (R6)', async () => {
    let freed = (): void => {}
    const { batcher, work, finish } = woven({
      maxActive: 2,
      end: () =>
        new Promise<void>((resolve) => {
          freed = resolve
        }),
    })
    const [a, b, c] = ['a', 'b', 'c'].map((input) => drained(batcher.stream(input)))
    await clock.settle()
    await finish({ done: true }, { chunk: 10 })
    expect(await a).toEqual([])
    expect(work.now.inputs).toEqual(['b'])
    expect(batcher.stats()).toMatchObject({ inFlight: 2, queued: 1 })
    freed()
    await clock.settle()
    expect(batcher.stats()).toMatchObject({ inFlight: 2, queued: 0 })
    await finish({ done: true })
    expect(await b).toEqual([10])
    expect(work.now.inputs).toEqual(['c'])
    await finish({ done: true })
    expect(await c).toEqual([])
  })
})

function fail(): never {
  throw new Error('on purpose')
}
