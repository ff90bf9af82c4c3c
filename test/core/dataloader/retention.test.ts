/** A loader that lives as long as the app holds nothing of the requests that have used it (R9). */
import { run as runWith, runRequest, type Scope } from '@heddle/context'
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

  it('lets requests go whose batch has failed', async () => {
    const loader = new DataLoader<number, number>(() => Promise.reject(new Error('down')))
    const markers = await markersOf((n) => ended(loader.load(n)))
    expect(await reachable(markers)).toBeLessThanOrEqual(SLACK)
    expect(loader.name).toBe(null)
  })
})
