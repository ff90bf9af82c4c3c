/** R10: a cache answers only code that has the identical values of all keys that a batch may show. */
import { AsyncLocalStorage } from 'node:async_hooks'

import { adopt, type ContextEntry, createKey, runRequest } from '@heddle/context'
import { createBatcher } from '@heddle/core'
import { DataLoader, type DataLoaderOptions } from '@heddle/core/dataloader'
import { describe, expect, it } from 'vitest'

import { ended, turn } from '../../support/crank.ts'
import { errorOf } from './both.ts'

const name = 'test.dataloader.values'
const user = createKey<string>(`${name}.user`, { batch: 'same' })
const roles = createKey<string>(`${name}.roles`, {
  batch: (values) => [...new Set(values.map((value) => value ?? 'guest'))].toSorted().join('+'),
})
/** A new array for each batch, also where nobody has a value. */
const teams = createKey<readonly string[]>(`${name}.teams`, {
  batch: (values) => values.flatMap((value) => value ?? []),
})
const tenant = createKey<string>(`${name}.tenant`, { batch: 'partition' })
const hidden = createKey<string>(`${name}.hidden`)
const currentLocale = new AsyncLocalStorage<string>()
adopt(currentLocale, { name: `${name}.locale`, batch: 'same' })

/** What a batch function sees, in a text. */
function seen(): string {
  const values = [tenant.get(), user.get(), roles.get(), currentLocale.getStore()]
  return values.filter((value) => value !== undefined && value !== 'guest').join(' ')
}

/** A loader of what its batch function sees, and the keys of its batches. */
function seeing(options: DataLoaderOptions<number, string> = {}) {
  const batches: (readonly number[])[] = []
  const loader = new DataLoader<number, string>(async (keys) => {
    batches.push(keys)
    await turn()
    return keys.map(() => seen())
  }, options)
  return { loader, batches }
}

type Ways = [what: string, enter: <R>(value: string, fn: () => R) => R][]

/** The ways in which code of one request comes to have other values than before. */
const ways: Ways = [
  ['a `same` key', (value, fn) => user.run(value, fn)],
  ['a merged key', (value, fn) => roles.run(value, fn)],
  ['a `partition` key', (value, fn) => tenant.run(value, fn)],
  ['an adopted store', (value, fn) => currentLocale.run(value, fn)],
]

describe.each(ways)('a request whose code has other values of %s', (_what, enter) => {
  it('gets nothing that was loaded with the former ones, and finds its own again', async () => {
    const { loader, batches } = seeing()
    await runRequest({}, async () => {
      const load = (value: string): Promise<string> => enter(value, () => loader.load(1))
      expect(await load('admin')).toBe('admin')
      expect(await load('ada')).toBe('ada')
      expect(await loader.load(1)).toBe('')
      expect(await load('admin')).toBe('admin')
    })
    expect(batches).toEqual([[1], [1], [1]])
  })

  it('gets nothing that is being loaded with them', async () => {
    const { loader } = seeing()
    await runRequest({}, async () => {
      const first = enter('admin', () => loader.load(1))
      await turn()
      expect(await enter('ada', () => loader.load(1))).toBe('ada')
      expect(await first).toBe('admin')
    })
  })

  it('gets nothing that was primed with them', async () => {
    const { loader } = seeing()
    await runRequest({}, async () => {
      enter('admin', () => loader.prime(1, 'primed by admin'))
      expect(await enter('ada', () => loader.load(1))).toBe('ada')
      expect(await enter('admin', () => loader.load(1))).toBe('primed by admin')
    })
  })

  it('gets nothing from a `cacheMap` for all that others have filled', async () => {
    const cacheMap = new Map<number, Promise<string>>()
    const { loader, batches } = seeing({ cacheMap })
    const request = (value: string): Promise<string> =>
      runRequest({}, () => enter(value, () => loader.load(1)))
    expect(await request('admin')).toBe('admin')
    const running = [request('ada'), request('admin')]
    expect(await Promise.all(running)).toEqual(['ada', 'admin'])
    expect(await request('ada')).toBe('ada')
    expect(await Promise.all(cacheMap.values())).toEqual(['admin'])
    expect(batches).toEqual([[1], [1], [1]])
  })
})

it('a hidden key makes no difference', async () => {
  const { loader, batches } = seeing()
  await runRequest({}, async () => {
    await hidden.run('ada', () => loader.load(1))
    await hidden.run('bob', () => loader.load(1))
  })
  expect(batches).toEqual([[1]])
})

describe('a `cacheMap` for all', () => {
  it('is filled by no batch that others with other values are in', async () => {
    const { loader, batches } = seeing({ cacheMap: new Map() })
    const as = (entries: readonly ContextEntry<string>[], key: number): Promise<string> =>
      runRequest({ entries }, () => loader.load(key))
    const results = [
      as([roles.of('admin')], 1),
      as([roles.of('guest'), user.of('bob')], 2),
      as([roles.of('admin')], 3),
      as([roles.of('staff')], 4),
    ]
    expect(await Promise.all(results)).toEqual(['admin', 'guest+staff', 'admin', 'guest+staff'])
    expect(batches).toEqual([
      [1, 3],
      [2, 4],
    ])
  })

  it('is forgotten in by whoever changes a value of the same tenant', async () => {
    const { loader, batches } = seeing({ cacheMap: new Map() })
    const as = <R>(who: string, where: string, fn: () => R): R =>
      runRequest({ entries: [user.of(who), tenant.of(where)] }, fn)
    await as('ada', 'acme', () => loader.load(1))
    as('bob', 'acme', () => loader.clear(1))
    await as('ada', 'acme', () => loader.load(1))
    as('eve', 'evil', () => loader.clear(1))
    await as('ada', 'acme', () => loader.load(1))
    expect(batches).toEqual([[1], [1]])
  })
})

describe('`clear`', () => {
  it('forgets what the request has loaded with other values of its tenant', async () => {
    const { loader, batches } = seeing()
    await runRequest({ entries: [tenant.of('acme')] }, async () => {
      await user.run('ada', () => loader.load(1))
      user.run('bob', () => loader.clear(1))
      await user.run('ada', () => loader.load(1))
      tenant.run('evil', () => loader.clear(1))
      await user.run('ada', () => loader.load(1))
    })
    expect(batches).toEqual([[1], [1]])
  })
})

describe('a batch of requests with different values', () => {
  it('remembers for them nothing that it made with what it saw itself', async () => {
    const other = seeing()
    const batcher = createBatcher<number, number>({
      name: 'mixed',
      run: async (inputs) => {
        other.loader.prime(1, `primed by ${seen()}`)
        await other.loader.load(2)
        return inputs
      },
    })
    const as = (role: string, key: number): Promise<readonly string[]> =>
      runRequest({ entries: [roles.of(role)] }, async () => {
        await batcher.submit(key)
        return [await other.loader.load(1), await other.loader.load(2)]
      })
    expect(await Promise.all([as('admin', 1), as('ada', 2)])).toEqual([
      ['ada+admin', 'ada+admin'],
      ['ada+admin', 'ada+admin'],
    ])
    expect(other.batches).toEqual([[2], [1, 1], [2, 2]])
  })

  it('remembers for those whose values it sees', async () => {
    const other = seeing()
    const batcher = createBatcher<number, number>({
      name: 'alike',
      run: async (inputs) => {
        other.loader.prime(1, `primed by ${seen()}`)
        return inputs
      },
    })
    const as = (who: string): Promise<string> =>
      currentLocale.run('en', () =>
        runRequest({ entries: [user.of(who), roles.of('staff'), tenant.of('acme')] }, async () => {
          await batcher.submit(1)
          return await other.loader.load(1)
        }),
      )
    const values = await Promise.all([as('ada'), as('ada')])
    expect(values).toEqual(Array(2).fill('primed by acme ada staff en'))
    expect(other.batches).toEqual([])
  })

  it('reaches those who all have one value, whatever a rule makes of it', async () => {
    const other = seeing()
    const inner = createBatcher<number, number>({
      name: 'inner',
      run: async (inputs) => {
        other.loader.prime(1, 'primed')
        return inputs
      },
    })
    const outer = createBatcher<number, number>({
      name: 'outer',
      run: async (inputs) => [await inner.submit(0), ...inputs.slice(1)],
    })
    const as = (who: readonly string[] | undefined): Promise<string> =>
      runRequest({ entries: who ? [teams.of(who)] : [] }, async () => {
        await outer.submit(1)
        return await other.loader.load(1)
      })
    const red = ['red']
    expect(await Promise.all([as(red), as(red)])).toEqual(['primed', 'primed'])
    expect(await as(undefined)).toBe('primed')
    expect(other.batches).toEqual([])
    await Promise.all([as(['red']), as(['red'])])
    expect(other.batches).toEqual([[1, 1]])
  })

  it('gets nothing that one of them has loaded with values of its own', async () => {
    const other = seeing()
    const batcher = createBatcher<number, string>({
      name: 'mixed',
      run: async (inputs) => {
        const value = await other.loader.load(1)
        return inputs.map(() => value)
      },
    })
    const isLoaded = Promise.withResolvers<void>()
    const admin = runRequest({ entries: [user.of('admin')] }, async () => {
      expect(await other.loader.load(1)).toBe('admin')
      isLoaded.resolve()
      return await batcher.submit(1)
    })
    const ada = runRequest({ entries: [user.of('ada')] }, async () => {
      await isLoaded.promise
      return await batcher.submit(1)
    })
    expect(await Promise.all([admin, ada])).toEqual(['', ''])
  })
})

describe('values that cannot be read', () => {
  const broken = new AsyncLocalStorage<{ readonly tenant: string }>()
  const cause = new Error('no tenant')

  it('reject a load, forget all, and remember nothing', async () => {
    adopt(broken, {
      name: `${name}.broken`,
      batch: 'partition',
      read: (store) => {
        if (store.tenant === '') throw cause
        return store.tenant
      },
      enter: (value) => ({ tenant: value }),
    })
    const { loader, batches } = seeing()
    await runRequest({}, async () => {
      await loader.load(1)
      const rejection = broken.run({ tenant: '' }, () => loader.prime(1, 'primed').load(1))
      expect(await errorOf(rejection)).toMatchObject({ code: 'BATCH_FAILED', cause })
      expect(await broken.run({ tenant: '' }, () => loader.loadMany([1]))).toMatchObject([
        { code: 'BATCH_FAILED' },
      ])
      expect(await ended(loader.load(1))).toBe('')
      broken.run({ tenant: '' }, () => loader.clear(1))
      await loader.load(1)
    })
    expect(batches).toEqual([[1], [1]])
  })
})

it('an object per request in an adopted store leaves no cache for good outside any request', () => {
  const store = new AsyncLocalStorage<object>()
  adopt(store, { name: `${name}.object`, batch: 'same' })
  let maps = 0
  const loader = new DataLoader<number, number>(async (keys) => keys, {
    cacheMap: () => {
      maps += 1
      return new Map<number, Promise<number>>()
    },
  })
  const first = {}
  const load = (object: object): unknown => store.run(object, () => loader.prime(1, 1))
  load(first)
  load(first)
  expect(maps).toBe(1)
  for (let n = 0; n < 1_000; n += 1) load({})
  load(first)
  expect(maps).toBe(1_002)
})
