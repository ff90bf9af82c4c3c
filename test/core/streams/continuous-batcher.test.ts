import { type Batcher, createContinuousBatcher, type StepResult } from '@heddle/core'
import { virtualClock } from '@heddle/core/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { type Loom, loom } from './loom.ts'
import { drained } from './tap.ts'

let clock: ReturnType<typeof virtualClock>
beforeEach(() => {
  clock = virtualClock()
})
afterEach(() => clock[Symbol.dispose]())

interface Bounds {
  readonly maxActive?: number
  readonly maxBuffered?: number
  readonly maxStall?: number
  readonly maxQueueSize?: number
  readonly timeout?: number
}

function woven(options: Bounds = {}) {
  const work = loom<string, number>()
  const batcher = createContinuousBatcher({ name: 'woven', ...work.functions, ...options })
  return { batcher, work }
}

/** Ends the step that runs, and lets what comes of it happen. */
async function finish(
  work: Loom<string, number>,
  ...results: readonly StepResult<number>[]
): Promise<void> {
  work.now.finish(...results)
  await clock.settle()
}

const inputsOf = ({ steps }: Loom<string, number>): readonly (readonly string[])[] =>
  steps.map(({ inputs }) => inputs)

describe('a continuous batcher', () => {
  it('takes all that are there through a step together, and gives each its own chunks', async () => {
    const { batcher, work } = woven()
    const streams = ['a', 'b'].map((input) => drained(batcher.stream(input)))
    await clock.settle()
    await finish(work, { chunk: 1 }, { chunks: [10, 11] })
    await finish(work, { chunk: 2, chunks: [3], done: true }, undefined)
    await finish(work, { done: true })
    expect(await Promise.all(streams)).toEqual([
      [1, 2, 3],
      [10, 11],
    ])
    expect(inputsOf(work)).toEqual([['a', 'b'], ['a', 'b'], ['b']])
    expect(work.states.map(({ ends }) => ends)).toEqual([1, 1])
    expect(batcher.stats()).toMatchObject({ fulfilled: 2, inFlight: 0, queued: 0 })
    expect(clock.timers).toBe(0)
  })

  it('lets who arrives while a step runs join the next, and who is done leave before it', async () => {
    const { batcher, work } = woven()
    const a = drained(batcher.stream('a'))
    await clock.settle()
    const b = drained(batcher.stream('b'))
    await clock.settle()
    expect(work.states.map(({ input }) => input)).toEqual(['a', 'b'])
    expect(inputsOf(work)).toEqual([['a']])
    await finish(work, { chunk: 1 })
    await finish(work, { done: true }, { chunk: 10 })
    expect(await a).toEqual([1])
    expect(work.states.map(({ ends }) => ends)).toEqual([1, 0])
    await finish(work, { done: true })
    expect(await b).toEqual([10])
    expect(inputsOf(work)).toEqual([['a'], ['a', 'b'], ['b']])
  })

  it('gives the place of who is done to who waits, for the very next step', async () => {
    const { batcher, work } = woven({ maxActive: 2 })
    const streams = ['a', 'b', 'c', 'd'].map((input) => drained(batcher.stream(input)))
    await clock.settle()
    expect(batcher.stats()).toMatchObject({ queued: 2, inFlight: 2 })
    await finish(work, { done: true }, { chunk: 1 })
    await finish(work, { done: true }, { done: true })
    await finish(work, { done: true })
    expect(inputsOf(work)).toEqual([['a', 'b'], ['b', 'c'], ['d']])
    expect(await Promise.all(streams)).toEqual([[], [1], [], []])
  })

  it('holds a place, but no step, for who is being started', async () => {
    const work = loom<string, number>()
    let started = (): void => {}
    const batcher = createContinuousBatcher({
      name: 'slow-start',
      maxActive: 2,
      ...work.functions,
      start: async (input: string, item) => {
        if (input === 'slow') {
          await new Promise<void>((resolve) => {
            started = resolve
          })
        }
        return work.functions.start(input, item)
      },
    })
    const streams = ['slow', 'fast', 'late'].map((input) => drained(batcher.stream(input)))
    await clock.settle()
    await finish(work, { chunk: 1 })
    expect(batcher.stats()).toMatchObject({ queued: 1, inFlight: 2 })
    started()
    await clock.settle()
    await finish(work, { done: true })
    await finish(work, { done: true }, { done: true })
    expect(inputsOf(work)).toEqual([['fast'], ['fast'], ['slow', 'late']])
    expect(await Promise.all(streams)).toEqual([[], [1], []])
  })

  it('lets the event loop turn between steps that wait for nothing', async () => {
    clock[Symbol.dispose]()
    let steps = 0
    const batcher = createContinuousBatcher<string, string, number>({
      name: 'busy',
      start: (input) => input,
      step: (active) => {
        steps += 1
        return active.map(({ state }) => (state === 'last' ? { done: true } : undefined))
      },
    })
    const endless = batcher.stream('endless')
    const pending = endless.next()
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
    expect(await drained(batcher.stream('last'))).toEqual([])
    expect(steps).toBeGreaterThan(0)
    await endless.return?.()
    expect(await pending).toEqual({ done: true, value: undefined })
    await batcher.close()
  })

  it('takes what is read of results that are none for nothing', async () => {
    const { batcher, work } = woven()
    const stream = drained(batcher.stream('a'))
    await clock.settle()
    await finish(work, {})
    await finish(work, { chunk: undefined, chunks: undefined, done: undefined, error: undefined })
    await finish(work, { chunks: [], done: false })
    await finish(work, { chunk: 0 })
    await finish(work, { done: true })
    expect(await stream).toEqual([0])
  })
})

describe('a consumer that does not read', () => {
  it('has its item left out of steps while its buffer is full, and holds nobody up', async () => {
    const { batcher, work } = woven({ maxBuffered: 2 })
    const slow = batcher.stream('slow')
    const fast = drained(batcher.stream('fast'))
    await clock.settle()
    await finish(work, { chunk: 1 }, { chunk: 10 })
    await finish(work, { chunk: 2 }, { chunk: 11 })
    await finish(work, { chunk: 12 })
    await finish(work, { chunk: 13 })
    expect(inputsOf(work)).toEqual([
      ['slow', 'fast'],
      ['slow', 'fast'],
      ['fast'],
      ['fast'],
      ['fast'],
    ])
    expect(await slow.next()).toEqual({ done: false, value: 1 })
    await finish(work, { done: true })
    expect(await fast).toEqual([10, 11, 12, 13])
    expect(work.now.inputs).toEqual(['slow'])
    await finish(work, { chunk: 3, done: true })
    expect(await drained(slow)).toEqual([2, 3])
    expect(clock.timers).toBe(0)
  })

  it('starts the steps again when all were left out', async () => {
    const { batcher, work } = woven({ maxBuffered: 1 })
    const stream = batcher.stream('a')
    await clock.settle()
    await finish(work, { chunks: [1, 2, 3] })
    expect(work.steps).toHaveLength(1)
    for (const value of [1, 2]) {
      expect(await stream.next()).toEqual({ done: false, value })
      await clock.settle()
      // More than fits had come in one step.
      expect(work.steps).toHaveLength(1)
    }
    expect(await stream.next()).toEqual({ done: false, value: 3 })
    await clock.settle()
    expect(work.steps).toHaveLength(2)
    await finish(work, { done: true })
    expect(await drained(stream)).toEqual([])
  })

  it('loses its place after `maxStall`, and keeps what it has', async () => {
    const { batcher, work } = woven({ maxBuffered: 1, maxActive: 1, maxStall: 100 })
    const slow = batcher.stream('slow')
    const next = drained(batcher.stream('next'))
    await clock.settle()
    await finish(work, { chunk: 1 })
    await clock.advance(99)
    expect([inputsOf(work), work.states[0]?.ends]).toEqual([[['slow']], 0])
    await clock.advance(1)
    expect([inputsOf(work), work.states[0]?.ends]).toEqual([[['slow'], ['next']], 1])
    await finish(work, { done: true })
    expect(await next).toEqual([])
    expect(await drained(slow)).toEqual([1, 'DEADLINE_EXCEEDED'])
    expect(clock.timers).toBe(0)
  })

  it('has the whole of `maxStall` each time', async () => {
    const { batcher, work } = woven({ maxBuffered: 1, maxStall: 100 })
    const stream = batcher.stream('a')
    await clock.settle()
    for (let value = 1; value <= 3; value += 1) {
      await finish(work, { chunk: value })
      await clock.advance(99)
      expect(await stream.next()).toEqual({ done: false, value })
      await clock.settle()
    }
    await finish(work, { done: true })
    expect(await drained(stream)).toEqual([])
  })
})

describe('the life of a continuous batcher', () => {
  it('refuses what is wrong, at once or with the first chunk', async () => {
    const make = (options: object) => () =>
      createContinuousBatcher({
        name: 'wrong',
        ...loom<string, number>().functions,
        ...options,
      })
    expect(make({ start: 1 })).toThrow('Expected `start` to be a function, got 1')
    expect(make({ step: undefined })).toThrow('Expected `step` to be a function, got undefined')
    expect(make({ end: 'no' })).toThrow('Expected `end` to be a function, got no')
    expect(make({ end: undefined })).not.toThrow()
    expect(make({ maxActive: 0 })).toThrow(
      'Expected `maxActive` to be a whole number of at least 1',
    )
    expect(make({ maxActive: Number.POSITIVE_INFINITY })).not.toThrow()
    expect(make({ maxBuffered: 1.5 })).toThrow('Expected `maxBuffered` to be a whole number')
    expect(make({ maxStall: '1' })).toThrow('Expected `maxStall` to be a number of ms')
    expect(make({ maxBatchSize: 8 })).toThrow(
      'there is no option `maxBatchSize`; the options are `name`, `maxActive`',
    )
    expect(make({ name: '' })).toThrow('Expected `name` to be a string with text in it')
    expect(make({ timeout: 0 })).toThrow('Expected `timeout` to be a number above 0')
    const batcher = make({ maxQueueSize: 1 })()
    const waits = batcher.stream('waits')
    expect(await drained(batcher.stream('x'))).toEqual(['QUEUE_FULL'])
    await waits.return?.()
    await batcher.close()
    expect(await drained(batcher.stream('y'))).toEqual(['BATCHER_CLOSED'])
  })

  it('drains: all that are there come to their ends', async () => {
    const { batcher, work } = woven({ maxActive: 1 })
    const streams = ['a', 'b'].map((input) => drained(batcher.stream(input)))
    let isDrained = false
    void batcher.drain().then(() => {
      isDrained = true
    })
    await clock.settle()
    await finish(work, { chunk: 1, done: true })
    expect(isDrained).toBe(false)
    await finish(work, { chunk: 2, done: true })
    expect(isDrained).toBe(true)
    expect(await Promise.all(streams)).toEqual([[1], [2]])
    // It goes on.
    const more = drained(batcher.stream('c'))
    await clock.settle()
    await finish(work, { done: true })
    expect(await more).toEqual([])
  })

  it('closes: after the timeout who is left is given up, and every state has its end', async () => {
    const { batcher, work } = woven({ maxActive: 2, maxBuffered: 1 })
    const stepping = drained(batcher.stream('stepping'))
    const paused = batcher.stream('paused')
    const queued = drained(batcher.stream('queued'))
    await clock.settle()
    await finish(work, { chunk: 1 }, { chunk: 10 })
    expect(work.now.inputs).toEqual(['stepping'])
    const closing = batcher.close({ timeout: 50 })
    await clock.advance(50)
    await closing
    expect(await stepping).toEqual([1, 'BATCHER_CLOSED'])
    expect(await drained(paused)).toEqual([10, 'BATCHER_CLOSED'])
    expect(await queued).toEqual(['BATCHER_CLOSED'])
    // The step has the one state still.
    expect(work.states.map(({ ends }) => ends)).toEqual([0, 1])
    expect(work.now.signal.aborted).toBe(true)
    await finish(work, { chunk: 2 })
    expect(work.states.map(({ ends }) => ends)).toEqual([1, 1])
    expect([batcher.stats().inFlight, clock.timers]).toEqual([0, 0])
  })

  it('is a resource: its end waits for the streams', async () => {
    const { batcher, work } = woven()
    const stream = drained(batcher.stream('a'))
    await clock.settle()
    const ending = batcher[Symbol.asyncDispose]()
    await finish(work, { chunk: 1 })
    await finish(work, { done: true })
    await ending
    expect(await stream).toEqual([1])
  })

  it('has a name, and statistics of its items', async () => {
    const { batcher, work } = woven()
    void drained(batcher.stream('a'))
    await clock.settle()
    await clock.advance(8)
    await finish(work, { done: true })
    expect(batcher.name).toBe('woven')
    const { submitted, run }: ReturnType<Batcher<never, never>['stats']> = batcher.stats()
    expect(submitted).toBe(1)
    expect(Math.round(run.max)).toBe(8)
  })
})
