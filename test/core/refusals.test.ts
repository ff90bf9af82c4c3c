/** A refusal that nobody looks at is counted all the same, and reported where it would be missed. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'

import { runRequest, tryCurrent } from '@heddle/context'
import { type Batcher, type BatcherOptions, createBatcher } from '@heddle/core'
import { crank, virtualClock } from '@heddle/core/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { ended, turn } from '../support/crank.ts'

interface Warning {
  readonly code: string
  readonly topic: string
  readonly message: string
  readonly cause: unknown
}

let clock: ReturnType<typeof virtualClock>
let warnings: Warning[]
let scopes: unknown[]
const listen = (warning: unknown): void => {
  warnings.push(warning as Warning)
  scopes.push(tryCurrent())
}

beforeEach(() => {
  clock = virtualClock()
  warnings = []
  scopes = []
  subscribe('heddle:warning', listen)
})
afterEach(() => {
  unsubscribe('heddle:warning', listen)
  clock[Symbol.dispose]()
})

const codes = (): string[] => warnings.map(({ code }) => code)
const left = new Error('left')
const aborted = AbortSignal.abort(left)

type Submits = Batcher<string, string>
type Options = Partial<BatcherOptions<string, string>>

function refusing(options: Options = {}): Submits {
  return createBatcher<string, string>({ name: 'refusing', run: crank<string>().run, ...options })
}

/** In a request whose deadline has passed. */
function late(batcher: Submits): Promise<unknown> {
  return runRequest({ timeout: 5 }, async () => {
    await clock.advance(10)
    return batcher.submit('x')
  })
}

/** What throws in the caller's context. */
const throws = (): never => {
  throw new Error('thrown')
}

describe('a refusal that is reported', () => {
  it.each<[string, string, Options, (batcher: Submits) => Promise<unknown>]>([
    ['an aborted signal', 'ABORTED', {}, (batcher) => batcher.submit('x', { signal: aborted })],
    [
      'an aborted scope',
      'ABORTED',
      {},
      (batcher) => runRequest({ signal: aborted }, () => batcher.submit('x')),
    ],
    ['a deadline that has passed', 'DEADLINE_EXCEEDED', {}, late],
    ['an option', 'INVALID_OPTION', {}, (batcher) => batcher.submit('x', { timeout: -1 })],
    [
      'a cost above the most',
      'ITEM_TOO_LARGE',
      { cost: () => 2, maxBatchCost: 1 },
      (batcher) => batcher.submit('x'),
    ],
    ['`cost` throws', 'BATCH_FAILED', { cost: throws }, (batcher) => batcher.submit('x')],
    ['`dedupeBy` throws', 'BATCH_FAILED', { dedupeBy: throws }, (batcher) => batcher.submit('x')],
  ])(
    'for %s is so once for each batcher, and counted each time',
    async (_case, code, options, refuse) => {
      const [first, second] = [refusing(options), refusing(options)]
      const ends = [
        await ended(refuse(first)),
        await ended(refuse(first)),
        await ended(refuse(second)),
      ]
      expect(ends).toEqual(Array.from({ length: 3 }, () => (code === 'ABORTED' ? 'left' : code)))
      expect(codes()).toEqual([code, code])
      expect(warnings[0]).toMatchObject({
        topic: 'refusing',
        message: expect.stringMatching(/refusing/),
      })
      expect(scopes).toEqual([undefined, undefined])
      const counted = code === 'ABORTED' ? 'aborted' : code
      expect(first.stats().rejected).toMatchObject({ [counted]: 2 })
    },
  )

  it('for a batch function that submits to its own batcher', async () => {
    const batcher: Submits = refusing({
      run: async (inputs) => {
        void batcher.submit('again')
        return inputs
      },
    })
    const answer = batcher.submit('x')
    await clock.settle()
    expect(await answer).toBe('x')
    expect(codes()).toEqual(['REENTRANT_SUBMIT'])
    expect(batcher.stats().rejected.REENTRANT_SUBMIT).toBe(1)
  })

  it('for the options of `close`', async () => {
    expect(await ended(refusing().close({ timeout: -1 }))).toBe('INVALID_OPTION')
    expect(codes()).toEqual(['INVALID_OPTION'])
  })

  it('is a process warning, too, where the program is wrong', async () => {
    const printed: string[] = []
    const note = ({ message }: Error): void => void printed.push(message)
    process.on('warning', note)
    const cost = (text: string): number => (text === 'bad' ? throws() : 2)
    const batcher = refusing({ name: 'printing', maxBatchCost: 1, cost })
    void batcher.submit('x')
    void batcher.submit('x', { signal: aborted })
    void late(batcher)
    void batcher.submit('bad')
    void batcher.submit('x', { timeout: -1 })
    await clock.advance(10)
    await turn()
    process.off('warning', note)
    expect(codes().length).toBe(5)
    expect(printed).toEqual([
      'Batcher `printing`: the item could not be queued: Error: thrown',
      'Batcher `printing`: Expected `timeout` to be a number above 0, got -1',
    ])
  })

  it('has a report for each code', async () => {
    const batcher = refusing()
    void batcher.submit('x', { signal: aborted })
    void batcher.submit('x', { timeout: -1 })
    void batcher.submit('x', { signal: aborted })
    expect(codes()).toEqual(['ABORTED', 'INVALID_OPTION'])
    expect(warnings[0]?.cause).toBe(left)
  })
})

describe('a refusal or an end that is part of normal work is counted, and not reported', () => {
  it.each<[string, Options, (batcher: Submits) => void]>([
    ['QUEUE_FULL', { maxQueueSize: 1 }, (batcher) => void batcher.submit('y')],
    ['BATCHER_CLOSED', {}, (batcher) => void batcher.close({ timeout: 5 })],
    ['DEADLINE_EXCEEDED', { timeout: 5 }, () => {}],
  ])('%s', async (code, options, act) => {
    const batcher = refusing(options)
    void batcher.submit('x')
    act(batcher)
    await clock.advance(10)
    expect(batcher.stats().rejected).toMatchObject({ [code]: 1 })
    expect(codes()).toEqual([])
  })

  it('an abort on the way', async () => {
    const batcher = refusing()
    const controller = new AbortController()
    const { signal } = controller
    void batcher.submit('runs', { signal })
    await clock.settle()
    void batcher.submit('waits', { signal })
    controller.abort(left)
    expect(batcher.stats().rejected.aborted).toBe(2)
    expect(codes()).toEqual([])
  })
})
