import { AsyncLocalStorage } from 'node:async_hooks'

import { runRequest, tryCurrent } from '@heddle/context'
import { type Chunk, createStreamBatcher } from '@heddle/core'
import { virtualClock } from '@heddle/core/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { drained, tap } from './tap.ts'

const foreign = new AsyncLocalStorage<string>()

let clock: ReturnType<typeof virtualClock>
beforeEach(() => {
  clock = virtualClock()
})
afterEach(() => clock[Symbol.dispose]())

/** Leaves in the context of a request, as a handler does. */
function leave(stream: AsyncIterator<unknown>): Promise<unknown> {
  return foreign.run('who leaves', () => runRequest({}, async () => stream.return?.()))
}

describe('the generator of a stream batcher', () => {
  it('runs its `finally` in the batch, too, when the last consumer leaves it waiting for room', async () => {
    const seen: unknown[] = []
    const look = (): void => void seen.push([tryCurrent()?.kind, foreign.getStore()])
    const batcher = createStreamBatcher<string, number>({
      name: 'held',
      maxBuffered: 1,
      async *run() {
        try {
          yield [0, 1]
          yield [0, 2]
        } finally {
          look()
          await Promise.resolve()
          look()
        }
      },
    })
    const stream = batcher.stream('a')
    await clock.settle()
    await leave(stream)
    await clock.settle()
    expect(seen).toEqual([
      ['batch', undefined],
      ['batch', undefined],
    ])
    expect([batcher.stats().inFlight, clock.timers]).toEqual([0, 0])
  })

  it('may be any iterator: it is told once to stop, in the batch, and has the slot until it has', async () => {
    const seen: unknown[] = []
    let stopped = (): void => {}
    const batcher = createStreamBatcher<string, number>({
      name: 'custom',
      run: () => ({
        [Symbol.asyncIterator]: () => ({
          next: () => {
            seen.push(['next', tryCurrent()?.kind])
            return new Promise<never>(() => {})
          },
          return: async () => {
            seen.push(['return', tryCurrent()?.kind])
            await new Promise<void>((resolve) => {
              stopped = resolve
            })
            throw new Error('nobody is there to hear it')
          },
        }),
      }),
    })
    const stream = batcher.stream('a')
    await clock.settle()
    await leave(stream)
    await clock.settle()
    expect(seen).toEqual([
      ['next', 'batch'],
      ['return', 'batch'],
    ])
    expect(batcher.stats().inFlight).toBe(1)
    stopped()
    await clock.settle()
    expect(batcher.stats().inFlight).toBe(0)
  })

  it.each(['ends', 'throws'])('is not told to stop when it %s by itself', async (how) => {
    let returns = 0
    const batcher = createStreamBatcher<string, number>({
      name: 'by-itself',
      run: () => ({
        [Symbol.asyncIterator]: () => ({
          next: async () => {
            if (how === 'throws') throw new Error('down')
            return { done: true, value: undefined }
          },
          return: async () => {
            returns += 1
            return { done: true, value: undefined }
          },
        }),
      }),
    })
    const chunks = drained(batcher.stream('a'))
    await clock.settle()
    expect(await chunks).toEqual(how === 'throws' ? ['BATCH_FAILED'] : [])
    expect(returns).toBe(0)
  })

  it.each([
    ['throws when it is asked', { next: () => fail() }],
    ['has no `next`', {}],
    ['is none', undefined],
  ])('fails its batch alone if it %s', async (_case, iterator) => {
    const batcher = createStreamBatcher<string, number>({
      name: 'broken',
      run: () => ({ [Symbol.asyncIterator]: () => iterator as never }),
    })
    for (let n = 0; n < 2; n += 1) {
      const chunks = drained(batcher.stream('a'))
      await clock.settle()
      expect(await chunks).toEqual(['BATCH_FAILED'])
    }
    expect(batcher.stats()).toMatchObject({ inFlight: 0, rejected: { BATCH_FAILED: 2 } })
  })

  it('is not asked when everybody leaves while it is made', async () => {
    const { run, calls } = tap<string, number>()
    const client = new AbortController()
    const batcher = createStreamBatcher<string, number>({
      name: 'early',
      run: (inputs, batch) => {
        client.abort(new Error('left'))
        return run(inputs, batch)
      },
    })
    const chunks = drained(batcher.stream('a', { signal: client.signal }))
    await clock.settle()
    expect(await chunks).toEqual(['left'])
    expect([calls.length, batcher.stats().inFlight]).toEqual([0, 0])
  })
})

describe('what is yielded', () => {
  it('may be one Error for several items: each consumer gets an error of its own (R8)', async () => {
    const { run, calls } = tap<string, number>()
    const batcher = createStreamBatcher({ name: 'same-error', run })
    const streams = ['a', 'b'].map((input) => batcher.stream(input))
    await clock.settle()
    const cause = new Error('same')
    const ends = Promise.allSettled(streams.map((stream) => stream.next()))
    calls[0]?.give([0, cause], [1, cause])
    const [first, second] = (await ends).map(
      (end) => (end as PromiseRejectedResult).reason as Error,
    )
    expect(first).toBe(cause)
    expect(second).toMatchObject({ code: 'BATCH_FAILED', cause })
  })

  it('may not be readable: that fails its batch, and ends the generator', async () => {
    const { run, calls } = tap<string, number>()
    const batcher = createStreamBatcher({ name: 'trap', run })
    const chunks = drained(batcher.stream('a'))
    await clock.settle()
    const trap = Object.defineProperty([0, 1], 0, { get: () => fail() })
    calls[0]?.give(trap as unknown as Chunk<number>)
    expect(await chunks).toEqual(['BATCH_FAILED'])
    expect(calls[0]?.hasEnded).toBe(true)
  })

  it('may wait for ever with no `maxStall`', async () => {
    const { run, calls } = tap<string, number>()
    const batcher = createStreamBatcher({
      name: 'patient',
      maxBuffered: 1,
      maxStall: Number.POSITIVE_INFINITY,
      run,
    })
    const stream = batcher.stream('a')
    await clock.settle()
    calls[0]?.give([0, 1], [0, 2])
    await clock.advance(1e9)
    expect([clock.timers, calls[0]?.pulls]).toEqual([0, 1])
    calls[0]?.finish()
    expect(await drained(stream)).toEqual([1, 2])
  })
})

function fail(): never {
  throw new Error('on purpose')
}
