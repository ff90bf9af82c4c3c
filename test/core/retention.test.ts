import { createKey, runRequest } from '@heddle/context'
import { type Batch, createBatcher } from '@heddle/core'
import { describe, expect, it } from 'vitest'

import { crank, ended, sleep, turn } from '../support/crank.ts'
import { reachable } from '../support/gc.ts'
import { markersOf, REQUESTS, SLACK } from '../support/markers.ts'

const payload = createKey<object>('test.retention.payload')

describe('nothing of a request is held (R9)', () => {
  it('by its settled items, though the app keeps the promises', async () => {
    const batcher = createBatcher<number, number>({ name: 'kept', run: (ns) => ns })
    const cache: Promise<number>[] = []
    const markers = await markersOf((n) => {
      cache.push(batcher.submit(n))
      return cache.at(-1)!
    })
    expect(await reachable(markers)).toBeLessThanOrEqual(SLACK)
    expect(cache).toHaveLength(REQUESTS)
  })

  it('by batches that the app keeps, items and snapshots included', async () => {
    const kept: unknown[] = []
    const batcher = createBatcher<number, number>({
      name: 'kept',
      run: (ns, batch) => {
        kept.push(batch, batch.items, batch.signal, batch.items[0]?.waiters, batch.items[0]?.signal)
        return ns
      },
    })
    const markers = await markersOf((n) => batcher.submit(n))
    expect(await reachable(markers)).toBeLessThanOrEqual(SLACK)
    expect((kept[0] as Batch<number>).items.length).toBeGreaterThan(0)
  })

  it.each([
    ['of a batch', () => Promise.reject(new Error('down'))],
    ['of items', async (ns: readonly number[]) => ns.map((n) => new Error(`none ${n}`))],
  ])('by errors %s that the app keeps', async (_case, run) => {
    const batcher = createBatcher<number, number>({ name: 'kept', run })
    const errors: unknown[] = []
    const markers = await markersOf((n) =>
      batcher.submit(n).catch((error: unknown) => errors.push(error)),
    )
    expect(await reachable(markers)).toBeLessThanOrEqual(SLACK)
    expect(errors).toHaveLength(REQUESTS)
  })

  it('by items that were aborted while they waited, or expired', async () => {
    const { run, calls } = crank<number>()
    const batcher = createBatcher({ name: 'left', run })
    const blocking = batcher.submit(-1)
    await turn()
    const controllers: AbortController[] = []
    const markers = await markersOf(async (n) => {
      const controller = new AbortController()
      controllers.push(controller)
      const options = n % 2 ? { signal: controller.signal } : { timeout: 5 }
      const item = ended(batcher.submit(n, options))
      // Text, since an Error that the controller keeps would keep the functions on its stack.
      controller.abort('left')
      await item
    })
    expect(await reachable(markers)).toBeLessThanOrEqual(SLACK)
    calls[0]?.finish([-1])
    await blocking
    expect(controllers).toHaveLength(REQUESTS)
  })

  it('by a long-lived signal that its items have listened to', async () => {
    const shutdown = new AbortController()
    const batcher = createBatcher<number, number>({ name: 'signal', run: (ns) => ns })
    const markers = await markersOf((n) => batcher.submit(n, { signal: shutdown.signal }))
    expect(await reachable(markers)).toBeLessThanOrEqual(SLACK)
    shutdown.abort()
  })

  it('by timers that were armed for its items', async () => {
    const { run, calls } = crank<number>()
    // One batcher for each request, since a batcher has one timer at a time.
    const batchers = Array.from({ length: REQUESTS }, () =>
      createBatcher({ name: 'timer', run, timeout: 3_600_000 }),
    )
    const blocking = batchers.map((batcher) => batcher.submit(-1))
    await turn()
    const markers = await markersOf(async (n) => {
      const controller = new AbortController()
      const item = ended(batchers[n]!.submit(n, { signal: controller.signal, timeout: 60_000 }))
      controller.abort()
      await item
    })
    // The alarms are still armed, for the blocking items.
    expect(await reachable(markers)).toBeLessThanOrEqual(SLACK)
    for (const call of calls) call.finish([-1])
    await Promise.all(blocking)
  })

  it('by deadlines that are still far off', async () => {
    const run = (ns: readonly number[]): readonly number[] => ns
    const batcher = createBatcher({ name: 'deadline', run, timeout: 60_000 })
    const markers = await markersOf((n) => batcher.submit(n))
    expect(await reachable(markers)).toBeLessThanOrEqual(SLACK)
    expect(batcher.stats().fulfilled).toBe(REQUESTS)
  })

  it('by a promise that never settles, once the scope has closed', async () => {
    const never: Promise<unknown>[] = []
    const markers: WeakRef<object>[] = []
    for (let n = 0; n < REQUESTS; n += 1) {
      const marker = { n }
      markers.push(new WeakRef(marker))
      runRequest({ entries: [payload.of(marker)] }, () => {
        const waiting = async (): Promise<void> => {
          await new Promise(() => {})
          payload.get()
        }
        never.push(waiting())
      })
      await sleep(0)
    }
    expect(await reachable(markers)).toBeLessThanOrEqual(SLACK)
    expect(never).toHaveLength(REQUESTS)
  })
})
