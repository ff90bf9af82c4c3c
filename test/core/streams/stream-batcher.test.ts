import { AsyncLocalStorage } from 'node:async_hooks'

import { createKey, runRequest, type Scope, tryCurrent } from '@heddle/context'
import { type Chunk, createStreamBatcher, END } from '@heddle/core'
import { virtualClock } from '@heddle/core/testing'
import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { reachable } from '../../support/gc.ts'
import { drained, tap } from './tap.ts'

const user = createKey<string>('test.streams.user')
const foreign = new AsyncLocalStorage<string>()

let clock: ReturnType<typeof virtualClock>
beforeEach(() => {
  clock = virtualClock()
})
afterEach(() => clock[Symbol.dispose]())

function as<R>(name: string, fn: (scope: Scope) => R): R {
  return foreign.run(name, () => runRequest({ id: name, entries: [user.of(name)] }, fn))
}

function tapped(options: { readonly maxBuffered?: number; readonly maxConcurrency?: number } = {}) {
  const { run, calls } = tap<string, number>()
  return { batcher: createStreamBatcher({ name: 'tapped', run, ...options }), calls }
}

describe('a stream batcher', () => {
  it('gives each item its own chunks, in their order, from one call', async () => {
    const { batcher, calls } = tapped()
    const streams = ['a', 'b'].map((input) => drained(batcher.stream(input)))
    await clock.settle()
    expect(calls.map(({ inputs }) => inputs)).toEqual([['a', 'b']])
    calls[0]?.give([0, 1], [1, 10], [0, 2], [1, END], [0, 3])
    calls[0]?.finish()
    expect(await Promise.all(streams)).toEqual([[1, 2, 3], [10]])
    await clock.settle()
    expect(batcher.stats()).toMatchObject({ fulfilled: 2, inFlight: 0, queued: 0 })
    expect(clock.timers).toBe(0)
  })

  it('lets chunks out as they come, and an end before the others have ended', async () => {
    const { batcher, calls } = tapped()
    const [a, b] = [batcher.stream('a'), batcher.stream('b')]
    await clock.settle()
    const first = a.next()
    calls[0]?.give([0, 1])
    expect(await first).toEqual({ done: false, value: 1 })
    const end = a.next()
    calls[0]?.give([0, END])
    expect(await end).toEqual({ done: true, value: undefined })
    calls[0]?.give([1, 2])
    expect(await b.next()).toEqual({ done: false, value: 2 })
    calls[0]?.finish()
    expect(await b.next()).toEqual({ done: true, value: undefined })
  })

  it('runs the body as none of its consumers, and each consumer as itself (R1)', async () => {
    const seen: unknown[] = []
    const look = (): void => void seen.push([user.get(), foreign.getStore(), tryCurrent()?.kind])
    const batcher = createStreamBatcher<string, string>({
      name: 'neutral',
      maxBuffered: 1,
      async *run(_inputs, batch) {
        look()
        try {
          for (const item of batch.items) {
            yield [item.index, item.run(() => `${user.get()} ${foreign.getStore()}`)]
            look()
            await Promise.resolve()
            look()
          }
        } finally {
          look()
        }
      },
    })
    const consumers = ['ann', 'bob'].map((name) =>
      as(name, async () => {
        const chunks: unknown[] = []
        for await (const chunk of batcher.stream(name)) chunks.push([chunk, user.get()])
        return [chunks, user.get(), foreign.getStore()]
      }),
    )
    await clock.settle()
    expect(await Promise.all(consumers)).toEqual([
      [[['ann ann', 'ann']], 'ann', 'ann'],
      [[['bob bob', 'bob']], 'bob', 'bob'],
    ])
    expect(new Set(seen.map((one) => JSON.stringify(one)))).toEqual(
      new Set(['[null,null,"batch"]']),
    )
    expect(seen).toHaveLength(6)
  })

  it('rejects an item with an Error that is yielded for it, and nobody else', async () => {
    const { batcher, calls } = tapped()
    const streams = ['a', 'b'].map((input) => drained(batcher.stream(input)))
    await clock.settle()
    calls[0]?.give([0, 1], [0, new Error('no more of a')], [0, 2], [1, 10])
    calls[0]?.finish()
    expect(await Promise.all(streams)).toEqual([[1, 'no more of a'], [10]])
  })

  it('rejects everybody who is left when the generator throws, with an error each', async () => {
    const { batcher, calls } = tapped()
    const [a, b, c] = [batcher.stream('a'), batcher.stream('b'), batcher.stream('c')]
    await clock.settle()
    const cause = new Error('down')
    calls[0]?.give([0, 1], [0, END])
    calls[0]?.fail(cause)
    const ends = await Promise.allSettled([b.next(), c.next()])
    const errors = ends.map((end) => (end as PromiseRejectedResult).reason as Error)
    expect(errors).toEqual([
      expect.objectContaining({ code: 'BATCH_FAILED', cause }),
      expect.objectContaining({ code: 'BATCH_FAILED', cause }),
    ])
    expect(errors[0]).not.toBe(errors[1])
    expect(await b.next()).toEqual({ done: true, value: undefined })
    expect(await drained(a)).toEqual([1])
  })

  it.each([[7, 1] as never, 'no tuple' as never, [-1, 1] as never, undefined as never])(
    'ends a batch that yields %j, and its generator',
    async (wrong: Chunk<number>) => {
      const { run, calls } = tap<string, number>()
      const batcher = createStreamBatcher({
        name: 'wrong',
        run: (inputs: readonly string[], batch) => wrapped(run(inputs, batch)),
      })
      async function* wrapped(
        chunks: AsyncGenerator<Chunk<number>>,
      ): AsyncGenerator<Chunk<number>> {
        for await (const chunk of chunks) yield chunk[1] === 99 ? wrong : chunk
      }
      const streams = ['a', 'b'].map((input) => drained(batcher.stream(input)))
      await clock.settle()
      calls[0]?.give([0, 1], [0, 99], [0, 2])
      expect(await Promise.all(streams)).toEqual([[1, 'RESULT_MISMATCH'], ['RESULT_MISMATCH']])
      await clock.settle()
      expect([calls[0]?.hasEnded, batcher.stats().inFlight]).toEqual([true, 0])
    },
  )
})

describe('back-pressure', () => {
  it('asks for no more than fits, and goes on when a chunk is taken', async () => {
    const { batcher, calls } = tapped({ maxBuffered: 2 })
    const stream = batcher.stream('a')
    await clock.settle()
    calls[0]?.give([0, 1], [0, 2], [0, 3], [0, 4])
    await clock.settle()
    expect(calls[0]?.pulls).toBe(2)
    expect(await stream.next()).toEqual({ done: false, value: 1 })
    await clock.settle()
    expect(calls[0]?.pulls).toBe(3)
    calls[0]?.finish()
    expect(await drained(stream)).toEqual([2, 3, 4])
  })

  it('lets a slow consumer hold the others for its buffer and `maxStall`, no longer', async () => {
    const { batcher, calls } = tapped({ maxBuffered: 2 })
    const slow = batcher.stream('slow')
    const fast = drained(batcher.stream('fast'))
    await clock.settle()
    calls[0]?.give([0, 1], [0, 2], [1, 10], [1, 11])
    await clock.advance(999)
    expect(calls[0]?.pulls).toBe(2)
    await clock.advance(1)
    expect(calls[0]?.pulls).toBe(5)
    calls[0]?.finish()
    expect(await fast).toEqual([10, 11])
    expect(await drained(slow)).toEqual([1, 2, 'DEADLINE_EXCEEDED'])
    await clock.settle()
    expect([clock.timers, batcher.stats().inFlight]).toEqual([0, 0])
  })
})

describe('a consumer that leaves', () => {
  it('holds nobody up with the chunks that it has not read', async () => {
    const { batcher, calls } = tapped({ maxBuffered: 1 })
    const [slow, fast] = [batcher.stream('slow'), drained(batcher.stream('fast'))]
    await clock.settle()
    calls[0]?.give([0, 1], [1, 10])
    await clock.settle()
    expect(calls[0]?.pulls).toBe(1)
    await slow.return?.()
    calls[0]?.finish()
    expect(await fast).toEqual([10])
  })

  it('gives its item up, alone; the last one ends the generator (R6, R7)', async () => {
    const { batcher, calls } = tapped()
    const [a, b] = [batcher.stream('a'), batcher.stream('b')]
    await clock.settle()
    const { batch } = calls[0] ?? {}
    const signals = batch?.items.map(({ signal }) => signal) ?? []
    await a.return?.()
    expect([...signals, batch?.signal].map((signal) => signal?.aborted)).toEqual([
      true,
      false,
      false,
    ])
    calls[0]?.give([0, 1], [1, 10])
    expect(await b.next()).toEqual({ done: false, value: 10 })
    expect(await a.next()).toEqual({ done: true, value: undefined })
    await b.return?.()
    expect([...signals, batch?.signal].map((signal) => signal?.aborted)).toEqual([true, true, true])
    await clock.settle()
    expect([calls[0]?.hasEnded, batcher.stats().inFlight]).toEqual([true, 0])
  })

  it('frees the slot only when the generator has settled (R6)', async () => {
    let letGo = (): void => {}
    const batcher = createStreamBatcher<string, number>({
      name: 'stubborn',
      async *run() {
        await new Promise<void>((resolve) => {
          letGo = resolve
        })
        yield [0, END]
      },
    })
    const stream = batcher.stream('a')
    await clock.settle()
    await stream.return?.()
    await clock.settle()
    expect(batcher.stats().inFlight).toBe(1)
    letGo()
    await clock.settle()
    expect(batcher.stats().inFlight).toBe(0)
  })

  it('is one whose request was aborted, or whose deadline has passed', async () => {
    const { batcher, calls } = tapped()
    const client = new AbortController()
    const left = foreign.run('x', () =>
      runRequest({ signal: client.signal }, () => drained(batcher.stream('a'))),
    )
    const late = drained(batcher.stream('b', { timeout: 50 }))
    const queuedOut = drained(batcher.stream('c'))
    await clock.settle()
    calls[0]?.give([0, 1], [1, 10], [2, 20])
    await clock.settle()
    client.abort(new Error('the client has left'))
    await clock.advance(50)
    calls[0]?.give([0, 2], [1, 11], [2, 21])
    calls[0]?.finish()
    expect(await Promise.all([left, late, queuedOut])).toEqual([
      [1, 'the client has left'],
      [10, 'DEADLINE_EXCEEDED'],
      [20, 21],
    ])
  })

  it('takes its item out of the queue', async () => {
    const { batcher, calls } = tapped()
    const first = drained(batcher.stream('first'))
    await clock.settle()
    const waiting = batcher.stream('waiting')
    await waiting.return?.()
    expect(batcher.stats().queued).toBe(0)
    calls[0]?.finish()
    expect(await first).toEqual([])
    await clock.settle()
    expect(calls).toHaveLength(1)
  })

  it('causes no unhandled rejection, nor does one that never looks', async () => {
    const unhandled: unknown[] = []
    const note = (error: unknown): void => void unhandled.push(error)
    process.on('unhandledRejection', note)
    const { batcher, calls } = tapped()
    batcher.stream('never read')
    const stream = batcher.stream('left')
    await clock.settle()
    await stream.return?.()
    calls[0]?.fail(new Error('down'))
    await clock.settle()
    await batcher.close()
    batcher.stream('too late')
    await clock.settle()
    process.off('unhandledRejection', note)
    expect(unhandled).toEqual([])
  })
})

describe('the life of a stream batcher', () => {
  it('refuses what is wrong, at once or with the first chunk', async () => {
    const make = (options: object) => () =>
      createStreamBatcher({ name: 'wrong', run: tap<string, number>().run, ...options })
    expect(make({ maxBuffered: 0 })).toThrow(
      'Expected `maxBuffered` to be a whole number of at least 1',
    )
    expect(make({ maxStall: -1 })).toThrow('Expected `maxStall` to be a number of ms of at least 0')
    expect(make({ run: 1 })).toThrow('Expected `run` to be a function')
    expect(make({ dedupeBy: String })).toThrow('Expected `dedupeBy` to be left out')
    await using batcher = make({ maxQueueSize: 1 })()
    batcher.stream('waits')
    expect(await drained(batcher.stream('x'))).toEqual(['QUEUE_FULL'])
    await clock.settle()
    const closing = batcher.close({ timeout: 5 })
    expect(await drained(batcher.stream('y'))).toEqual(['BATCHER_CLOSED'])
    await clock.advance(5)
    await closing
  })

  it('keeps the scope open while the stream runs, and lets it go at its end (R9)', async () => {
    const { batcher, calls } = tapped()
    const references: WeakRef<object>[] = []
    const open: Scope[] = []
    as('open', (scope) => {
      open.push(scope)
      void drained(batcher.stream('x'))
    })
    const kept: unknown[] = []
    for (let n = 0; n < 50; n += 1) {
      as(`r${n}`, (scope) => {
        references.push(new WeakRef(scope))
        const stream = batcher.stream('x')
        kept.push(stream)
        void drained(stream)
      })
    }
    await clock.settle()
    expect(open.map(({ state }) => state)).toEqual(['settling'])
    calls[0]?.finish()
    await clock.settle()
    expect(open.map(({ state }) => state)).toEqual(['closed'])
    expect(await reachable(references)).toBeLessThanOrEqual(1)
    expect(kept).toHaveLength(50)
  })

  it('gives every consumer exactly its own chunks, whatever the others do', async () => {
    const action = fc.record({
      what: fc.constantFrom('give' as const, 'take' as const, 'leave' as const, 'end' as const),
      who: fc.integer({ min: 0, max: 3 }),
    })
    const property = fc.asyncProperty(fc.array(action, { maxLength: 40 }), async (actions) => {
      const { batcher, calls } = tapped({ maxBuffered: 2 })
      const consumers = [0, 1, 2, 3].map((who) => ({
        stream: batcher.stream(`${who}`),
        given: [] as number[],
        taken: [] as number[],
        isOpen: true,
      }))
      await clock.settle()
      let chunks = 0
      for (const { what, who } of actions) {
        const consumer = consumers[who]
        if (consumer === undefined) continue
        if (what === 'give') {
          const chunk = (chunks += 1)
          if (consumer.isOpen) consumer.given.push(chunk)
          calls[0]?.give([who, chunk])
        } else if (what === 'take') {
          void consumer.stream.next().then(({ value }) => value && consumer.taken.push(value))
        } else if (what === 'leave') {
          consumer.isOpen = false
          void consumer.stream.return?.()
        } else {
          consumer.isOpen = false
          calls[0]?.give([who, END])
        }
        await clock.settle()
      }
      calls[0]?.finish()
      await Promise.all([
        ...consumers.map(async ({ stream, taken }) => {
          for await (const chunk of stream) taken.push(chunk)
        }),
        clock.advance(0),
      ])
      await clock.settle()
      for (const { given, taken } of consumers) {
        // Who left has seen a beginning of it.
        expect(taken).toEqual(given.slice(0, taken.length))
      }
      expect(batcher.stats()).toMatchObject({ inFlight: 0, queued: 0 })
      expect([calls[0]?.hasEnded, clock.timers]).toEqual([true, 0])
    })
    await fc.assert(property, { numRuns: 200, seed: 4_711 })
  })
})
