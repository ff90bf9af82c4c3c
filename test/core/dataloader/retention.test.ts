/** A loader that lives as long as the app holds nothing of the requests that have used it (R9). */
import { AsyncLocalStorage } from 'node:async_hooks'

import { current, run as runWith, runRequest, type Scope } from '@heddle/context'
import { DataLoader } from '@heddle/core/dataloader'
import { describe, expect, it } from 'vitest'

import { ended, turn } from '../../support/crank.ts'
import { reachable } from '../../support/gc.ts'
import { markersOf, REQUESTS, SLACK } from '../../support/markers.ts'

describe('a loader at module level', () => {
  it('lets values go with their request', async () => {
    const loader = new DataLoader<object, object>(async (keys) => [...keys])
    const markers = await markersOf(async (_n, marker) => {
      await loader.load(marker)
      await loader.load(marker)
      loader.prime({}, marker)
    })
    expect(await reachable(markers)).toBeLessThanOrEqual(SLACK)
    expect(loader.name).toBe(null)
  })

  it('lets values go when the scope has closed, though somebody holds it', async () => {
    const scopes: Scope[] = []
    const loader = new DataLoader<object, object>(async (keys) => [...keys])
    const values: WeakRef<object>[] = []
    for (let n = 0; n < REQUESTS; n += 1) {
      await runRequest({}, async (scope) => {
        scopes.push(scope)
        const value = { n }
        values.push(new WeakRef(value))
        await loader.load(value)
      })
    }
    await turn()
    expect(await reachable(values)).toBeLessThanOrEqual(SLACK)
    expect(scopes.every(({ state }) => state === 'closed')).toBe(true)
    expect(loader.name).toBe(null)
  })

  it('lets values go with a scope that was opened outside any request', async () => {
    const loader = new DataLoader<object, object>(async (keys) => [...keys])
    const values: WeakRef<object>[] = []
    for (let n = 0; n < REQUESTS; n += 1) {
      const value = { n }
      values.push(new WeakRef(value))
      await runWith([], () => loader.load(value))
    }
    expect(await reachable(values)).toBeLessThanOrEqual(SLACK)
    expect(loader.name).toBe(null)
  })

  it('lets requests go whose promises are in a shared cache, or kept by the app', async () => {
    const cacheMap = new Map<number, Promise<number>>()
    const loader = new DataLoader<number, number>(async (keys) => keys, { cacheMap })
    const kept: Promise<unknown>[] = []
    const markers = await markersOf(async (n) => {
      kept.push(loader.load(n), loader.load(n))
      await Promise.all(kept)
    })
    expect(await reachable(markers)).toBeLessThanOrEqual(SLACK)
    expect(cacheMap.size).toBe(REQUESTS)
    expect(kept).toHaveLength(2 * REQUESTS)
  })

  it('lets requests go for whose batches a batch function has loaded and primed', async () => {
    const inner = new DataLoader<number, object>(async (keys) => keys.map((key) => ({ key })))
    const scopes: Scope[] = []
    const outer = new DataLoader<number, object>(async (keys) => {
      scopes.push(current())
      inner.prime(-1, {})
      const values = await inner.loadMany(keys)
      await inner.loadMany(keys)
      return values
    })
    const markers = await markersOf((n) => outer.load(n % 10))
    expect(await reachable(markers)).toBeLessThanOrEqual(SLACK)
    expect(scopes.map(({ state }) => state)).toEqual(['closed'])
    expect(inner.name).toBe(null)
  })

  it('lets a caller outside any request go, though it was the last to load', async () => {
    const loader = new DataLoader<number, number>(async (keys) => keys)
    const store = new AsyncLocalStorage<object>()
    const callers: WeakRef<object>[] = []
    for (let n = 0; n < REQUESTS; n += 1) {
      const caller = { n }
      callers.push(new WeakRef(caller))
      await store.run(caller, () => loader.load(n))
    }
    expect(await reachable(callers)).toBeLessThanOrEqual(SLACK)
    expect(loader.name).toBe(null)
  })

  it('lets requests go whose batch has failed', async () => {
    const loader = new DataLoader<number, number>(() => Promise.reject(new Error('down')))
    const markers = await markersOf((n) => ended(loader.load(n)))
    // Bun scans the stack for whatever looks like a pointer, and errors leave some there.
    expect(await reachable(markers)).toBeLessThanOrEqual(REQUESTS / 5)
    expect(loader.name).toBe(null)
  })
})
