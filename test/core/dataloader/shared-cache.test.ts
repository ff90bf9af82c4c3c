/** A `cacheMap`: made for each request, or one for all by the caller's wish. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'

import { createKey, runRequest } from '@heddle/context'
import { DataLoader } from '@heddle/core/dataloader'
import { crank, virtualClock } from '@heddle/core/testing'
import { describe, expect, it } from 'vitest'

import { ended, turn } from '../../support/crank.ts'
import { errorOf } from './both.ts'

const tenant = createKey<string>('test.dataloader.shared.tenant', { batch: 'partition' })

/** The codes of the warnings while `fn` runs. */
async function warningsOf(fn: () => Promise<unknown>): Promise<unknown[]> {
  const codes: unknown[] = []
  const note = (message: unknown): void => {
    codes.push((message as { code: unknown }).code)
  }
  subscribe('heddle:warning', note)
  try {
    await fn()
  } finally {
    unsubscribe('heddle:warning', note)
  }
  return codes
}

describe('a function for a `cacheMap`', () => {
  it('is called once for each request, and once outside any', async () => {
    const maps: Map<number, Promise<number>>[] = []
    const loader = new DataLoader<number, number>(async (keys) => keys, {
      cacheMap: () => {
        const map = new Map<number, Promise<number>>()
        maps.push(map)
        return map
      },
    })
    const request = (...keys: number[]): Promise<unknown> =>
      runRequest({}, () => loader.loadMany(keys))
    await Promise.all([request(1, 2), request(2, 3), loader.load(4), loader.load(5)])
    expect(maps.map((map) => [...map.keys()])).toEqual([
      [1, 2],
      [2, 3],
      [4, 5],
    ])
  })
})

describe('one `cacheMap` for all', () => {
  it('serves every request', async () => {
    const batches: (readonly number[])[] = []
    const loader = new DataLoader<number, number>(
      async (keys) => {
        batches.push(keys)
        return keys
      },
      { cacheMap: new Map() },
    )
    await runRequest({}, () => loader.load(1))
    await runRequest({}, () => loader.load(1))
    expect(await loader.load(1)).toBe(1)
    runRequest({}, () => loader.clearAll())
    await loader.load(1)
    expect(batches).toEqual([[1], [1]])
  })

  it('serves one tenant, the first: others get a map of their own, and a warning', async () => {
    const map = new Map<number, Promise<string>>()
    const loader = new DataLoader<number, string>(
      async (keys) => keys.map(() => tenant.get() ?? 'nobody'),
      { cacheMap: map },
    )
    const request = (who: string): Promise<string> =>
      runRequest({ entries: [tenant.of(who)] }, () => {
        void loader.load(1)
        return loader.load(1)
      })
    const codes = await warningsOf(async () => {
      expect(await request('acme')).toBe('acme')
      expect(await request('evil')).toBe('evil')
      expect(await request('acme')).toBe('acme')
      expect(await loader.load(1)).toBe('nobody')
    })
    expect(await Promise.all(map.values())).toEqual(['acme'])
    expect(codes).toEqual(['SHARED_CACHE', 'SHARED_CACHE'])
  })

  it('does not hand the abort of one request to another that waits for the same key', async () => {
    const { run, calls } = crank<number>()
    const loader = new DataLoader<number, number>(run, { cacheMap: new Map() })
    const leaving = new AbortController()
    const first = runRequest({ signal: leaving.signal }, () => ended(loader.load(1)))
    const second = runRequest({}, () => loader.load(1))
    await turn()
    const third = runRequest({}, () => loader.load(1))
    leaving.abort(new Error('left'))
    expect(await first).toBe('left')
    await turn()
    expect(calls.map(({ inputs }) => inputs)).toEqual([[1], [1]])
    calls[1]?.finish([7])
    expect(await Promise.all([second, third])).toEqual([7, 7])
    calls[0]?.finish([8])
    expect(await runRequest({}, () => loader.load(1))).toBe(7)
  })

  it('does not remember the deadline of a request', async () => {
    using clock = virtualClock()
    const { run, calls } = crank<number>()
    const loader = new DataLoader<number, number>(run, { cacheMap: new Map() })
    const late = runRequest({ timeout: 100 }, () => ended(loader.load(1)))
    await clock.advance(100)
    expect(await late).toBe('DEADLINE_EXCEEDED')
    const next = runRequest({}, () => loader.load(1))
    await clock.settle()
    calls[1]?.finish([7])
    expect(await next).toBe(7)
    calls[0]?.finish([8])
  })

  it('remembers the error of a key, but not that of a batch', async () => {
    const { run, calls } = crank<number>()
    const loader = new DataLoader<number, number>(run, { cacheMap: new Map() })
    const load = (key: number): Promise<unknown> => runRequest({}, () => errorOf(loader.load(key)))
    const error = new Error('not there')
    const first = load(1)
    await turn()
    calls[0]?.finish([error])
    expect(await first).toBe(error)
    expect(await load(1)).toBe(error)
    const failing = load(2)
    await turn()
    calls[1]?.fail(new Error('down'))
    await failing
    void load(2)
    await turn()
    expect(calls.map(({ inputs }) => inputs)).toEqual([[1], [2], [2]])
    calls[2]?.fail(new Error('down'))
  })
})

describe('what a user’s function throws', () => {
  it('in `delete` of a `cacheMap` is reported, and every caller hears of the batch', async () => {
    class Broken extends Map<number, Promise<number>> {
      override delete(): never {
        throw new Error('broken')
      }
    }
    const loader = new DataLoader<number, number>(() => Promise.reject(new Error('down')), {
      cacheMap: () => new Broken(),
    })
    const codes = await warningsOf(async () => {
      expect(await Promise.all([ended(loader.load(1)), ended(loader.load(2))])).toEqual([
        'BATCH_FAILED',
        'BATCH_FAILED',
      ])
    })
    expect(codes).toEqual(['CALLBACK_FAILED', 'CALLBACK_FAILED'])
  })

  it('in `cacheKeyFn` reaches its own caller, and no other', async () => {
    const loader = new DataLoader<number, number>(async (keys) => keys, {
      cacheKeyFn: (key) => {
        if (key === 2) throw new Error('no key')
        return key
      },
    })
    const first = loader.load(1)
    expect(() => loader.load(2)).toThrow('no key')
    expect(await first).toBe(1)
  })

  it.each([
    [
      'throws',
      () => {
        throw new Error('broken')
      },
    ],
    ['rejects', () => Promise.reject(new Error('broken')) as unknown as void],
  ])('in a schedule that %s is reported, and the keys are loaded', async (_case, schedule) => {
    const batches: (readonly number[])[] = []
    const loader = new DataLoader<number, number>(
      async (keys) => {
        batches.push(keys)
        return keys
      },
      { batchScheduleFn: schedule },
    )
    const codes = await warningsOf(async () => {
      expect(await loader.loadMany([1, 2])).toEqual([1, 2])
      expect(await loader.load(1)).toBe(1)
    })
    expect(batches).toEqual([[1, 2]])
    expect(codes).toEqual(['CALLBACK_FAILED', 'CALLBACK_FAILED'])
  })
})
