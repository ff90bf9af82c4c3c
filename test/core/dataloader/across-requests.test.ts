/** `acrossRequests`: keys of different requests wait for a free slot and meet in one batch. */
import { createKey, runRequest } from '@heddle/context'
import { BatcherError } from '@heddle/core'
import { DataLoader, type DataLoaderOptions } from '@heddle/core/dataloader'
import { crank, virtualClock } from '@heddle/core/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { ended } from '../../support/crank.ts'
import { isSettled } from './both.ts'

const tenant = createKey<string>('test.dataloader.across.tenant', { batch: 'partition' })

let clock: ReturnType<typeof virtualClock>
beforeEach(() => {
  clock = virtualClock()
})
afterEach(() => clock[Symbol.dispose]())

/** A loader whose batches are ended by hand. */
function turned(options: DataLoaderOptions<number, number> = { acrossRequests: true }) {
  const { run, calls } = crank<number>()
  const loader = new DataLoader<number, number>(run, options)
  const request = (...keys: number[]): Promise<unknown> =>
    runRequest({}, () => ended(Promise.all(keys.map((key) => loader.load(key)))))
  const batches = (): readonly (readonly number[])[] => calls.map(({ inputs }) => inputs)
  /** Ends the batch that started last. */
  const finish = async (): Promise<void> => {
    const last = calls.at(-1)
    last?.finish(last.inputs)
    await clock.settle()
  }
  return { loader, calls, request, batches, finish }
}

/** Each in a task of its own, as requests come. */
async function oneByOne(requests: readonly (() => Promise<unknown>)[]): Promise<unknown[]> {
  const started: Promise<unknown>[] = []
  for (const request of requests) {
    started.push(request())
    await clock.settle()
  }
  return started
}

describe('with `acrossRequests`', () => {
  it('the keys of all requests gather while a batch runs; by default each is a batch', async () => {
    const across = turned()
    const apart = turned({})
    const keys = [0, 1, 2, 3, 4]
    const requests = await oneByOne(keys.map((key) => () => across.request(key)))
    expect(across.batches()).toEqual([[0]])
    await across.finish()
    expect(across.batches()).toEqual([[0], [1, 2, 3, 4]])
    await across.finish()
    expect(await Promise.all(requests)).toEqual(keys.map((key) => [key]))
    await oneByOne(keys.map((key) => () => apart.request(key)))
    expect(apart.batches()).toEqual(keys.map((key) => [key]))
    for (const call of apart.calls) call.finish(call.inputs)
  })

  it('each request has a cache of its own, and loads a key once', async () => {
    const { request, batches, finish } = turned()
    const first = request(1, 1, 2)
    const second = request(1)
    await clock.settle()
    expect(batches()).toEqual([[1, 2, 1]])
    await finish()
    expect(await Promise.all([first, second])).toEqual([[1, 1, 2], [1]])
  })

  it('requests that differ in a `partition` key share no batch', async () => {
    const { loader, batches, finish } = turned({ acrossRequests: { maxConcurrency: 2 } })
    const as = (who: string, key: number): Promise<number> =>
      runRequest({ entries: [tenant.of(who)] }, () => loader.load(key))
    void as('acme', 1)
    void as('evil', 2)
    void as('acme', 3)
    await clock.settle()
    expect(batches()).toEqual([[1, 3], [2]])
    await finish()
  })

  it('an object sets the limits: slots, and how long a batch waits for more', async () => {
    const two = turned({ acrossRequests: { maxConcurrency: 2, linger: 0 }, maxBatchSize: 2 })
    await oneByOne([() => two.request(1), () => two.request(2), () => two.request(3)])
    expect(two.batches()).toEqual([[1], [2]])
    const lingering = turned({ acrossRequests: { linger: 10 } })
    await oneByOne([() => lingering.request(1)])
    await clock.advance(9)
    await oneByOne([() => lingering.request(2)])
    expect(lingering.batches()).toEqual([])
    await clock.advance(1)
    expect(lingering.batches()).toEqual([[1, 2]])
  })

  it('beyond `maxQueueSize` a load is QUEUE_FULL, and not remembered; by default nothing is', async () => {
    const bounded = turned({ acrossRequests: { maxQueueSize: 2 } })
    const full = runRequest({}, async () => {
      const results = [await isQueued(bounded.loader, 1)]
      for (const key of [2, 3]) results.push(await isQueued(bounded.loader, key))
      results.push(await ended(bounded.loader.load(4)))
      await bounded.finish()
      await bounded.finish()
      results.push(await isQueued(bounded.loader, 4))
      await bounded.finish()
      results.push(await bounded.loader.load(4))
      return results
    })
    expect(await full).toEqual(['queued', 'queued', 'queued', 'QUEUE_FULL', 'queued', 4])
    expect(bounded.batches()).toEqual([[1], [2, 3], [4]])
    const unbounded = turned()
    const keys = Array.from({ length: 5_000 }, (_, key) => key)
    const all = unbounded.request(...keys)
    await clock.settle()
    await unbounded.finish()
    expect(await all).toEqual(keys)
  })

  it('a request that is aborted leaves its batch to the others', async () => {
    const { loader, request, batches, finish } = turned()
    await oneByOne([() => request(0)])
    const leaving = new AbortController()
    const gone = runRequest({ signal: leaving.signal }, () => ended(loader.load(1)))
    const stays = request(2)
    leaving.abort(new Error('left'))
    expect(await gone).toBe('left')
    await finish()
    expect(batches()).toEqual([[0], [2]])
    await finish()
    expect(await stays).toEqual([2])
  })
})

/** Loads the key and waits until it would have been refused. */
async function isQueued(loader: DataLoader<number, number>, key: number): Promise<unknown> {
  const result = ended(loader.load(key))
  await clock.settle()
  return Promise.race([result, Promise.resolve('queued')])
}

describe('a chain of 3 loads over 100 requests', () => {
  it('makes 3 batches', async () => {
    const levels = [0, 1, 2].map(() => turned())
    const chain = (root: number): Promise<number> =>
      runRequest({}, async () => {
        let key = root
        for (const { loader } of levels) key = await loader.load(key)
        return key
      })
    const roots = Array.from({ length: 100 }, (_, key) => key)
    const values = Promise.all(roots.map(chain))
    for (const { finish } of levels) {
      await clock.settle()
      await finish()
    }
    expect(await values).toEqual(roots)
    for (const { batches } of levels) expect(batches()).toEqual([roots])
  })
})

describe('a remembered key, across requests', () => {
  it('comes at once when nothing else is asked for, though a batch runs', async () => {
    const { loader, finish } = turned()
    await runRequest({}, async () => {
      loader.prime(0, 10)
      const running = loader.load(1)
      await clock.settle()
      expect(await loader.load(0)).toBe(10)
      await finish()
      expect(await running).toBe(1)
    })
  })

  it.each([
    ['before', [0, 1]],
    ['after', [1, 0]],
  ])('comes with those of its task, asked for %s them', async (_case, keys) => {
    const { loader, finish } = turned()
    await runRequest({}, async () => {
      loader.prime(0, 10)
      const [first, second] = keys.map((key) => loader.load(key))
      await clock.settle()
      expect(await isSettled(Promise.race([first, second]))).toBe(false)
      await finish()
      expect(await Promise.all([first, second])).toEqual(keys.map((key) => key || 10))
    })
  })
})

describe('what a batch function loads waits for no slot', () => {
  /** Counts down with loads from the batch function, which has the only slot. */
  function countdown(options: DataLoaderOptions<number, number>, viaItem: boolean) {
    const names: string[] = []
    const loader: DataLoader<number, number> = new DataLoader<number, number>(
      async (keys, batch) => {
        names.push(batch.name)
        const below = (n: number): Promise<number> | number => (n === 0 ? 0 : loader.load(n - 1))
        return Promise.all(
          keys.map((n, index) => (viaItem ? batch.items[index]?.run(() => below(n)) : below(n))),
        ) as Promise<number[]>
      },
      { ...options, name: 'countdown' },
    )
    return { loader, names }
  }

  it.each([
    ['directly', false],
    ['in `item.run`', true],
  ])('from the same loader: %s', async (_how, viaItem) => {
    const { loader, names } = countdown({ acrossRequests: true }, viaItem)
    const value = runRequest({}, () => loader.load(3))
    await clock.settle()
    expect(await value).toBe(0)
    const nested = 'countdown (nested)'
    expect(names).toEqual(['countdown', nested, nested, nested])
  })

  it.each([
    ['directly', false],
    ['in `item.run`', true],
  ])('from one whose batch function loads from the first: %s', async (_how, viaItem) => {
    const batches: unknown[] = []
    const pair: Record<string, DataLoader<number, number>> = {}
    const alternating = (name: string, next: string): DataLoader<number, number> =>
      new DataLoader<number, number>(
        async (keys, { items }) => {
          batches.push([name, ...keys])
          const below = (n: number): unknown => (n === 0 ? 0 : pair[next]?.load(n - 1))
          const all = keys.map((n, at) => (viaItem ? items[at]?.run(() => below(n)) : below(n)))
          return Promise.all(all) as Promise<number[]>
        },
        { acrossRequests: true },
      )
    const first = (pair['first'] = alternating('first', 'second'))
    pair['second'] = alternating('second', 'first')
    const values = Promise.all([4, 5].map((n) => runRequest({}, () => first.load(n))))
    await clock.settle()
    expect(await values).toEqual([0, 0])
    expect(batches).toEqual([
      ['first', 4, 5],
      ['second', 3, 4],
      ['first', 2, 3],
      ['second', 1, 2],
      ['first', 0, 1],
      ['second', 0],
    ])
  })

  it.each([
    ['for its request', {}, false],
    ['for its request, in `item.run`', {}, true],
    ['for all, in a `cacheMap`', { cacheMap: new Map<number, Promise<number>>() }, false],
  ])('also a key that waits for the slot already, %s', async (_whom, options, viaItem) => {
    const start = Promise.withResolvers<void>()
    const batches: (readonly number[])[] = []
    const loader: DataLoader<number, number> = new DataLoader<number, number>(
      async (keys, { items }) => {
        batches.push(keys)
        if (keys[0] !== 1) return keys
        await start.promise
        const below = (): Promise<number> => loader.load(2)
        return [await (viaItem ? items[0]?.run(below) : below())] as number[]
      },
      { acrossRequests: true, ...options },
    )
    const request = runRequest({}, async () => {
      const first = loader.load(1)
      await clock.settle()
      const second = loader.load(2)
      start.resolve()
      return [await first, await second, await loader.load(2)]
    })
    await clock.settle()
    await clock.settle()
    expect(await request).toEqual([2, 2, 2])
    expect(batches).toEqual([[1], [2], [2]])
  })

  it('also a remembered key, while its request loads one that waits for the slot', async () => {
    const start = Promise.withResolvers<void>()
    const loader: DataLoader<number, number> = new DataLoader<number, number>(
      async (keys) => {
        if (keys[0] !== 1) return keys
        await start.promise
        return [await loader.load(7)]
      },
      { acrossRequests: true },
    )
    const request = runRequest({}, async () => {
      loader.prime(7, 70)
      const first = loader.load(1)
      await clock.settle()
      const second = loader.load(2)
      start.resolve()
      return Promise.all([first, second])
    })
    await clock.settle()
    await clock.settle()
    expect(await request).toEqual([70, 2])
  })

  it('and is in one batch for all of its keys', async () => {
    const inner = turned()
    const outer = new DataLoader<number, number>(
      (keys) => Promise.all(keys.map((key) => inner.loader.load(key))),
      { acrossRequests: true },
    )
    await oneByOne([() => inner.request(9)])
    const values = Promise.all([1, 2].map((key) => runRequest({}, () => outer.load(key))))
    await clock.settle()
    expect(inner.batches()).toEqual([[9], [1, 2]])
    await inner.finish()
    expect(await values).toEqual([1, 2])
    inner.calls[0]?.finish([9])
  })
})

describe('misuse of `acrossRequests` is named', () => {
  const make = (options: object): (() => unknown) => {
    return () => new DataLoader(async () => [], options)
  }

  it.each([
    [
      { acrossRequests: 1 },
      'Expected `acrossRequests` to be a boolean or an object of limits, got 1',
    ],
    [
      { acrossRequests: null },
      'Expected `acrossRequests` to be a boolean or an object of limits, got null',
    ],
    [
      { acrossRequests: { slots: 2 } },
      'There is no option `slots` of `acrossRequests`; the options are `maxConcurrency`, `linger`, `maxWait`, `maxQueueSize`',
    ],
    [
      { acrossRequests: true, batchScheduleFn: setTimeout },
      'Expected `batchScheduleFn` to be undefined with `acrossRequests`, which starts a batch when a slot is free',
    ],
    [
      { acrossRequests: true, batch: false },
      'Expected `batch` to be true with `acrossRequests`, got false',
    ],
  ])('%j', (options, message) => {
    expect(make(options)).toThrow(new TypeError(message))
  })

  it('and so is a limit that is none, at once', () => {
    const wrong = make({ acrossRequests: { maxConcurrency: 0 }, name: 'users' })
    expect(wrong).toThrow(BatcherError)
    expect(wrong).toThrow(
      'Batcher `users`: Expected `maxConcurrency` to be a whole number of at least 1, got 0',
    )
  })
})
