/** One `cacheMap` for all: what a batch function makes with something that only one caller has is for its request. */
import { AsyncLocalStorage } from 'node:async_hooks'

import { adopt, createKey, runRequest } from '@heddle/context'
import { createBatcher, type Batch, type BatchItem } from '@heddle/core'
import { DataLoader, type DataLoaderOptions } from '@heddle/core/dataloader'
import { crank } from '@heddle/core/testing'
import { describe, expect, it } from 'vitest'

import { ended, turn } from '../../support/crank.ts'
import { reachable } from '../../support/gc.ts'
import { markersOf, SLACK } from '../../support/markers.ts'

const session = new AsyncLocalStorage<string>()
const sessionKey = adopt(session, { name: 'test.dataloader.exposed.session', batch: 'hide' })
const user = createKey<string>('test.dataloader.exposed.user', { batch: 'hide' })
const tenant = createKey<string>('test.dataloader.exposed.tenant', { batch: 'partition' })

/** Code of a request of `who`, whose tenant is that of all. */
function as<R>(who: string, fn: () => R): R {
  const entries = [user.of(who), tenant.of('acme')]
  return session.run(who, () => runRequest({ entries }, fn))
}

type Read = (item: BatchItem<string>) => string | undefined

const inRun: Read = (item) => item.run(() => session.getStore())

const reads: [how: string, read: Read][] = [
  ['`item.run`', inRun],
  ['`item.run` with a key', (item) => item.run(() => user.get())],
  ['`item.get` of a hidden key', (item) => item.get(user)],
  ['`item.get` of a hidden store', (item) => item.get(sessionKey)],
  ['`item.waiters`', (item) => item.waiters[0]?.run(() => session.getStore())],
  ['`item.scope`', (item) => item.scope?.get(user)],
]

/** A loader with a map for all. The batches wait until they are ended, each value made as `read` does. */
function rendering(read: Read, options: DataLoaderOptions<string, string> = {}) {
  const cacheMap = new Map<string, Promise<string>>()
  const { run, calls } = crank<string, string>()
  const loader = new DataLoader<string, string>(run, { cacheMap, ...options })
  const batches = (): readonly (readonly string[])[] => calls.map(({ inputs }) => inputs)
  const finish = async (number: number): Promise<void> => {
    const call = calls[number]
    call?.finish(call.batch.items.map((item) => `${item.input} for ${read(item)}`))
    await turn()
  }
  return { loader, cacheMap, calls, batches, finish }
}

/** The same, and nothing waits. */
function atOnce(read: Read) {
  const batches: (readonly string[])[] = []
  const cacheMap = new Map<string, Promise<string>>()
  const run = async (keys: readonly string[], batch: Batch<string>): Promise<string[]> => {
    batches.push(keys)
    return batch.items.map((item) => `${item.input} for ${read(item)}`)
  }
  return { loader: new DataLoader<string, string>(run, { cacheMap }), cacheMap, batches }
}

describe.each(reads)('a value that was made with %s', (_how, read) => {
  it('reaches no other request, later', async () => {
    const { loader, batches, cacheMap } = atOnce(read)
    expect(await as('admin', () => loader.load('d'))).toBe('d for admin')
    expect(cacheMap.size).toBe(0)
    expect(await as('guest', () => loader.load('d'))).toBe('d for guest')
    expect(batches).toEqual([['d'], ['d']])
  })

  it.each([
    ['by default', {}],
    ['across requests', { acrossRequests: true }],
  ])('reaches no other request that waits for it, %s', async (_case, options) => {
    const { loader, batches, finish } = rendering(read, options)
    const load = (who: string): Promise<string> => as(who, () => loader.load('d'))
    const first = [load('admin'), load('guest')]
    await turn()
    const running = load('late')
    await turn()
    expect(batches()).toEqual([['d']])
    await finish(0)
    // They load together.
    expect(batches()).toEqual([['d'], ['d', 'd']])
    await finish(1)
    expect(await Promise.all([...first, running])).toEqual([
      'd for admin',
      'd for guest',
      'd for late',
    ])
  })

  it('reaches nobody outside any request, nor from there', async () => {
    const outside = (who: string): Promise<string> => session.run(who, () => loader.load('d'))
    const { loader, batches } = atOnce((item) => `${read(item)}/${inRun(item)}`)
    const inside = session.run('admin', () => runRequest({}, () => loader.load('d')))
    const loads = [inside, outside('a'), outside('b')]
    const values = (await Promise.all(loads)).map((value) => value.split('/')[1])
    expect(values).toEqual(['admin', 'a', 'b'])
    const [c, d] = await Promise.all([outside('c'), outside('d')])
    expect([c, d].map((value) => value.split('/')[1])).toEqual(['c', 'd'])
    expect((await outside('e')).split('/')[1]).toBe('e')
    expect(batches.flat()).toHaveLength(6)
  })
})

describe('a value for one request', () => {
  it('is loaded once in it, whenever it is asked for', async () => {
    const { loader, batches, finish } = rendering(inRun)
    const load = (): Promise<string> => loader.load('d')
    const both = ['admin', 'guest'].map((who) =>
      as(who, async () => {
        const before = [load(), load()]
        await turn()
        const running = load()
        return [...(await Promise.all([...before, running])), await load()]
      }),
    )
    await turn()
    await turn()
    for (const number of [0, 1, 2, 3]) await finish(number)
    const four = (who: string): string[] => Array.from({ length: 4 }, () => `d for ${who}`)
    expect(await Promise.all(both)).toEqual([four('admin'), four('guest')])
    expect(batches()).toEqual([['d'], ['d']])
  })

  it('is forgotten there by `clear` and `clearAll`, and not replaced by `prime`', async () => {
    const { loader, batches } = atOnce(inRun)
    await as('admin', async () => {
      await loader.load('d')
      expect(await loader.prime('d', 'primed').load('d')).toBe('d for admin')
      await loader.clear('d').load('d')
      await loader.clearAll().load('d')
    })
    expect(batches).toEqual([['d'], ['d'], ['d']])
  })

  it('may be an error', async () => {
    const batches: (readonly string[])[] = []
    const loader = new DataLoader<string, string>(
      async (keys, { items }) => {
        batches.push(keys)
        return items.map((item) => new Error(`not for ${inRun(item)}`))
      },
      { cacheMap: new Map() },
    )
    const load = (who: string): Promise<unknown> =>
      as(who, async () => [await ended(loader.load('d')), await ended(loader.load('d'))])
    const twice = (who: string): string[] => [`not for ${who}`, `not for ${who}`]
    expect(await Promise.all([load('admin'), load('guest')])).toEqual([
      twice('admin'),
      twice('guest'),
    ])
    expect(batches).toEqual([['d'], ['d']])
  })

  it('may be the failure of a batch', async () => {
    const loader = new DataLoader<string, string>(
      async (keys, { items }) => {
        if (items.some((item) => inRun(item) === 'admin')) throw new Error('not for admin')
        return keys
      },
      { cacheMap: new Map() },
    )
    const load = (who: string): Promise<unknown> => as(who, () => ended(loader.load('d')))
    expect(await Promise.all([load('admin'), load('guest')])).toEqual(['BATCH_FAILED', 'd'])
  })

  it('makes what a batch function makes of it one for that request, too', async () => {
    for (const isLoadedBefore of [true, false]) {
      const { loader: inner } = atOnce(inRun)
      const outer = new DataLoader<string, string>((keys) => inner.loadMany(keys), {
        cacheMap: new Map(),
      })
      const admin = as('admin', async () => {
        const first = inner.load('d')
        if (isLoadedBefore) await first
        return outer.load('d')
      })
      expect(await admin).toBe('d for admin')
      expect(await as('guest', () => outer.load('d'))).not.toContain('admin')
    }
  })

  it('holds nothing of it', async () => {
    const { loader, cacheMap } = atOnce(inRun)
    const kept: Promise<string>[] = []
    const markers = await markersOf(async (n) => {
      kept.push(loader.load(`${n % 3}`), loader.load(`${n % 3}`))
      await Promise.all(kept)
    })
    expect(await reachable(markers)).toBeLessThanOrEqual(SLACK)
    expect([cacheMap.size, kept.length > 0]).toEqual([0, true])
  })
})

describe('a value that was made with what a batch may show', () => {
  it('is loaded once for all requests', async () => {
    const { loader, batches, finish } = rendering((item) => item.get(tenant))
    const load = (who: string): Promise<string> => as(who, () => loader.load('d'))
    const loads = [load('a'), load('b')]
    await turn()
    loads.push(load('c'))
    await finish(0)
    loads.push(load('d'), load('e'))
    expect(new Set(await Promise.all(loads))).toEqual(new Set(['d for acme']))
    expect(batches()).toEqual([['d']])
  })

  it('is so, too, where the batch function has got it from a map for all', async () => {
    const { loader: inner, batches } = atOnce((item) => item.get(tenant))
    const calls: (readonly string[])[] = []
    const outer = new DataLoader<string, string>(
      (keys) => {
        calls.push(keys)
        return inner.loadMany(keys)
      },
      { cacheMap: new Map() },
    )
    await as('a', () => inner.load('d'))
    const load = (who: string): Promise<string> => as(who, () => outer.load('d'))
    expect([await load('a'), await load('b')]).toEqual(['d for acme', 'd for acme'])
    expect([batches, calls]).toEqual([[['d']], [['d']]])
  })

  it('is shared, too, where a batcher’s batch function loads it', async () => {
    const { loader, batches } = atOnce((item) => item.get(tenant))
    const batcher = createBatcher<string, string>({
      name: 'loads',
      run: (inputs) => Promise.all(inputs.map((input) => loader.load(input))),
    })
    const submit = (who: string): Promise<string> => as(who, () => batcher.submit('d'))
    expect([await submit('a'), await submit('b')]).toEqual(['d for acme', 'd for acme'])
    expect(batches).toEqual([['d']])
  })
})
