import { createBatcher } from '@heddle/core'
import { describe, expect, it } from 'vitest'

import { crank, echo, ended, turn } from '../support/crank.ts'

describe('drain', () => {
  it('resolves when nothing is queued or in flight, and does not linger', async () => {
    const { run, calls } = crank<number>()
    const batcher = createBatcher({ name: 'drain', run, linger: 60_000, maxWait: 60_000 })
    const item = batcher.submit(1)
    let isDrained = false
    const drained = batcher.drain().then(() => (isDrained = true))
    await turn()
    expect(calls.map(({ batch }) => batch.reason)).toEqual(['drain'])
    expect(isDrained).toBe(false)
    calls[0]?.finish([1])
    await drained
    expect(await item).toBe(1)
  })

  it('lets the batcher linger again afterwards', async () => {
    const { run, calls } = crank<number>()
    const batcher = createBatcher({ name: 'drain', run, linger: 60_000, maxWait: 60_000 })
    await batcher.drain()
    const item = batcher.submit(1)
    await turn()
    expect(calls).toEqual([])
    await Promise.all([batcher.close({ timeout: 0 }), ended(item)])
  })
})

describe('close', () => {
  it('runs what is queued and takes nothing new', async () => {
    const { run, calls } = crank<number>()
    const batcher = createBatcher({ name: 'close', run, maxBatchSize: 1 })
    const items = [batcher.submit(1), batcher.submit(2)]
    const closing = batcher.close()
    expect(await ended(batcher.submit(3))).toBe('BATCHER_CLOSED')
    await turn()
    calls[0]?.finish([1])
    await turn()
    calls[1]?.finish([2])
    await closing
    expect(await Promise.all(items)).toEqual([1, 2])
    await batcher.close()
  })

  it('gives up what is left after the timeout, though the batch function never settles', async () => {
    const { run, calls } = crank<number>()
    const batcher = createBatcher({ name: 'close', run, maxBatchSize: 1 })
    const items = [1, 2].map((n) => ended(batcher.submit(n)))
    await turn()
    await batcher.close({ timeout: 10 })
    expect(await Promise.all(items)).toEqual(['BATCHER_CLOSED', 'BATCHER_CLOSED'])
    expect(calls).toHaveLength(1)
    expect(calls[0]?.batch.signal.aborted).toBe(true)
    expect(batcher.stats()).toMatchObject({ queued: 0, inFlight: 1 })
  })

  it('may be given a timeout later', async () => {
    const { run } = crank<number>()
    const batcher = createBatcher({ name: 'close', run })
    const item = ended(batcher.submit(1))
    await turn()
    const patient = batcher.close()
    await batcher.close({ timeout: 1 })
    await patient
    expect(await item).toBe('BATCHER_CLOSED')
  })

  it('comes with `await using`', async () => {
    const { run, batches } = echo<number>()
    let item: Promise<number> | undefined
    {
      await using batcher = createBatcher({ name: 'close', run, linger: 60_000 })
      item = batcher.submit(1)
    }
    expect(batches).toEqual([[1]])
    expect(await item).toBe(1)
  })

  it('ends a submitAll that waits for room', async () => {
    const { run } = crank<number>()
    const batcher = createBatcher({ name: 'close', run, maxQueueSize: 1, maxBatchSize: 1 })
    const all = batcher.submitAll([1, 2, 3, 4])
    await turn()
    await batcher.close({ timeout: 1 })
    const results = await all
    expect(results.length).toBeLessThanOrEqual(3)
    expect(results.every(({ status }) => status === 'rejected')).toBe(true)
  })
})
