/** A loader at module level, in requests that must not see each other. */
import { AsyncLocalStorage } from 'node:async_hooks'

import { createKey, detach, run as runWith, runRequest, tryCurrent } from '@heddle/context'
import { DataLoader } from '@heddle/core/dataloader'
import { crank } from '@heddle/core/testing'
import { describe, expect, it } from 'vitest'

import { ended, turn } from '../../support/crank.ts'
import { errorOf } from './both.ts'

const tenant = createKey<string>('test.dataloader.tenant', { batch: 'partition' })
const user = createKey<string>('test.dataloader.user')
const foreign = new AsyncLocalStorage<string>()

/** A loader of the tenants that the batch function sees, and its batches. */
function tenants(): { readonly loader: DataLoader<number, string>; readonly batches: unknown[] } {
  const batches: unknown[] = []
  const loader = new DataLoader<number, string>(async (keys) => {
    const who = tenant.get() ?? 'nobody'
    batches.push([who, ...keys])
    return keys.map((key) => `${who} ${key}`)
  })
  return { loader, batches }
}

/** Runs `fn` as a request of this tenant. */
function as<R>(who: string, fn: () => R): R {
  return runRequest({ entries: [tenant.of(who)] }, fn)
}

describe('the batch function', () => {
  it('runs as none of its callers, whose contexts it gets with the batch', async () => {
    const seen: unknown[] = []
    const loader = new DataLoader<number, string>(async (keys, batch) => {
      seen.push(user.get(), foreign.getStore(), tryCurrent()?.kind)
      await Promise.resolve()
      seen.push(user.get(), foreign.getStore())
      return batch.items.map((item, n) =>
        item.run(() => `${keys[n]} ${item.input} ${user.get()} ${foreign.getStore()}`),
      )
    })
    const request = (name: string, key: number): Promise<string> =>
      foreign.run(name, () => runRequest({ entries: [user.of(name)] }, () => loader.load(key)))
    expect(await Promise.all([request('ada', 1), request('bob', 2)])).toEqual([
      '1 1 ada ada',
      '2 2 bob bob',
    ])
    expect(seen).toEqual([undefined, undefined, 'batch', undefined, undefined])
  })

  it('loads keys of several requests together, but never of two tenants', async () => {
    const { loader, batches } = tenants()
    const request = (who: string, key: number): Promise<string> => as(who, () => loader.load(key))
    const all = ['acme', 'evil', 'acme', 'evil'].map((who, key) => request(who, key))
    expect(await Promise.all(all)).toEqual(['acme 0', 'evil 1', 'acme 2', 'evil 3'])
    expect(batches).toEqual([
      ['acme', 0, 2],
      ['evil', 1, 3],
    ])
  })

  it('has a name in its batches, that of the loader', async () => {
    const names: string[] = []
    const load = async (keys: readonly number[], batch: { name: string }): Promise<number[]> => {
      names.push(batch.name)
      return [...keys]
    }
    await new DataLoader<number, number>(load, { name: 'users' }).load(1)
    await new DataLoader<number, number>(load).load(1)
    expect(names).toEqual(['users', 'DataLoader'])
  })
})

describe('a request', () => {
  it('never gets what another has loaded, at the same time or before', async () => {
    const { loader, batches } = tenants()
    const request = (who: string): Promise<string> => as(who, () => loader.load(1))
    expect(await Promise.all([request('acme'), request('evil')])).toEqual(['acme 1', 'evil 1'])
    expect(await request('evil')).toBe('evil 1')
    expect(await request('acme')).toBe('acme 1')
    expect(batches).toEqual([
      ['acme', 1],
      ['evil', 1],
      ['evil', 1],
      ['acme', 1],
    ])
  })

  it('loads the same key as another with it, each for itself', async () => {
    const batches: (readonly number[])[] = []
    const loader = new DataLoader<number, object>(async (keys) => {
      batches.push(keys)
      return keys.map((key) => ({ key }))
    })
    const [first, second] = await Promise.all(
      [0, 1].map(() => runRequest({}, () => loader.load(1))),
    )
    expect(first).toEqual(second)
    expect(first).not.toBe(second)
    expect(batches).toEqual([[1, 1]])
  })

  it('remembers for its child scopes, too', async () => {
    const { loader, batches } = tenants()
    await as('acme', async () => {
      const value = loader.load(1)
      expect(await runWith([user.of('ada')], () => loader.load(1))).toBe(await value)
      expect(await user.run('bob', () => user.run('eve', () => loader.load(1)))).toBe('acme 1')
    })
    expect(batches).toEqual([['acme', 1]])
  })

  it('that changes a partition key gets no value of before, and finds its own again', async () => {
    const { loader, batches } = tenants()
    await as('acme', async () => {
      const values = [loader.load(1), tenant.run('evil', () => loader.load(1)), loader.load(1)]
      expect(await Promise.all(values)).toEqual(['acme 1', 'evil 1', 'acme 1'])
      expect(await tenant.run('evil', () => loader.load(1))).toBe('evil 1')
      tenant.set('other')
      expect(await loader.load(1)).toBe('other 1')
    })
    expect(batches).toEqual([
      ['acme', 1],
      ['evil', 1],
      ['other', 1],
    ])
  })

  it('forgets for itself: a key in its partition, all in every one', async () => {
    const { loader, batches } = tenants()
    loader.prime(1, 'outside')
    await as('acme', () =>
      as('other', async () => {
        loader.prime(1, 'mine')
        tenant.run('evil', () => loader.prime(1, 'evil'))
        loader.clear(1)
        expect(await loader.load(1)).toBe('other 1')
        expect(await tenant.run('evil', () => loader.load(1))).toBe('evil')
        loader.clearAll()
        expect(await tenant.run('evil', () => loader.load(1))).toBe('evil 1')
      }),
    )
    expect(await loader.load(1)).toBe('outside')
    expect(batches).toEqual([
      ['other', 1],
      ['evil', 1],
    ])
  })

  it('knows nothing of what is primed outside it, and nothing of it is known there', async () => {
    const { loader } = tenants()
    loader.prime(1, 'outside')
    await as('acme', async () => {
      expect(await loader.load(1)).toBe('acme 1')
      loader.prime(2, 'inside')
      expect(await detach(() => loader.load(2), { keep: [tenant] })).toBe('acme 2')
    })
    expect(await loader.load(1)).toBe('outside')
    expect(await loader.load(2)).toBe('nobody 2')
  })

  it('has none outside: there, each scope that was opened alone is one', async () => {
    const { loader } = tenants()
    expect(await user.run('ada', () => loader.prime(1, 'of ada').load(1))).toBe('of ada')
    expect(await user.run('bob', () => loader.load(1))).toBe('nobody 1')
  })

  it('that has closed remembers nothing', async () => {
    const { loader } = tenants()
    let late: Promise<unknown[]> | undefined
    await as('acme', () => {
      late = turn().then(() => Promise.all([1, 1].map(() => errorOf(loader.prime(1, '').load(1)))))
    })
    const [first, second] = (await late) ?? []
    expect(first).toHaveProperty('cause.code', 'SCOPE_CLOSED')
    expect(second).not.toBe(first)
  })

  it('that is aborted leaves the batch to the others', async () => {
    const { run, calls } = crank<number>()
    const loader = new DataLoader<number, number>(run)
    const leaving = new AbortController()
    const request = (key: number, signal?: AbortSignal): Promise<unknown> =>
      runRequest(signal ? { signal } : {}, () => ended(loader.load(key)))
    const running = [request(1, leaving.signal), request(2)]
    await turn()
    leaving.abort(new Error('left'))
    expect(await running[0]).toBe('left')
    expect(calls[0]?.batch.signal.aborted).toBe(false)
    calls[0]?.finish([1, 2])
    expect(await running[1]).toBe(2)
  })

  it('whose clients have all left aborts the batch', async () => {
    const { run, calls } = crank<number>()
    const loader = new DataLoader<number, number>(run)
    const leaving = new AbortController()
    const gone = runRequest({ signal: leaving.signal }, () => ended(loader.load(1)))
    await turn()
    leaving.abort(new Error('left'))
    expect(await gone).toBe('left')
    expect(calls[0]?.batch.signal.aborted).toBe(true)
    calls[0]?.finish([1])
  })

  it('does not wait for another tenant’s batch with what it remembers', async () => {
    const { run, calls } = crank<number>()
    const loader = new DataLoader<number, number>(run)
    const slow = as('slow', () => loader.load(1))
    expect(await as('quick', () => loader.prime(2, 7).load(2))).toBe(7)
    expect(calls).toHaveLength(1)
    calls[0]?.finish([1])
    await slow
  })
})
