import { BatcherError, createBatcher } from '@heddle/core'
import { describe, expect, it } from 'vitest'

import { crank, echo, ended, sleep, turn } from '../support/crank.ts'

describe('maxQueueSize', () => {
  it('rejects what finds the queue full, with the time to try again', async () => {
    const { run, calls } = crank<number>()
    const batcher = createBatcher({ name: 'full', run, maxQueueSize: 2, maxBatchSize: 1 })
    const running = batcher.submit(0)
    await turn()
    const waiting = [batcher.submit(1), batcher.submit(2)]
    const error = await batcher.submit(3).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(BatcherError)
    expect(error).toMatchObject({ code: 'QUEUE_FULL', batcher: 'full' })
    expect((error as BatcherError).retryAfter).toBeGreaterThanOrEqual(1)
    expect(calls).toHaveLength(1)
    for (let n = 0; n < 3; n += 1) {
      calls[n]?.finish([n])
      await turn()
    }
    expect(await Promise.all([running, ...waiting])).toEqual([0, 1, 2])
    expect(await Promise.race([batcher.submit(4), turn()])).toBeUndefined()
    calls[3]?.finish([4])
  })
})

describe('cost', () => {
  it('ends a batch before the item that does not fit, and never passes it over', async () => {
    const { run, batches } = echo<number>()
    const batcher = createBatcher({ name: 'cost', run, cost: (n) => n, maxBatchCost: 10 })
    await Promise.all([6, 5, 1, 4, 10, 3].map((n) => batcher.submit(n)))
    expect(batches).toEqual([[6], [5, 1, 4], [10], [3]])
    expect(batcher.stats().batches).toMatchObject({ cost: 3, idle: 1 })
  })

  it('rejects an item that no batch can hold, and that one alone', async () => {
    const { run, batches } = echo<number>()
    const batcher = createBatcher({ name: 'cost', run, cost: (n) => n, maxBatchCost: 10 })
    expect(await Promise.all([1, 11, 2].map((n) => ended(batcher.submit(n))))).toEqual([
      1,
      'ITEM_TOO_LARGE',
      2,
    ])
    expect(batches).toEqual([[1, 2]])
  })

  it('fills a lingering batch', async () => {
    const { run, calls } = crank<number>()
    const batcher = createBatcher({
      name: 'cost',
      run,
      cost: (n) => n,
      maxBatchCost: 10,
      linger: 60_000,
      maxWait: 60_000,
    })
    const both = [batcher.submit(4), batcher.submit(6)]
    await turn()
    expect(calls.map(({ inputs, batch }) => [inputs, batch.reason])).toEqual([[[4, 6], 'cost']])
    calls[0]?.finish([4, 6])
    await Promise.all(both)
  })
})

describe('submitAll', () => {
  it('feeds a short queue from a long iterable, in order', async () => {
    const { run, batches } = echo<number>()
    const batcher = createBatcher({ name: 'all', run, maxQueueSize: 3, maxBatchSize: 2 })
    const numbers = Array.from({ length: 50 }, (_, n) => n)
    const results = await batcher.submitAll(numbers)
    expect(results).toEqual(numbers.map((value) => ({ status: 'fulfilled', value })))
    expect(batches.flat()).toEqual(numbers)
    expect(batcher.stats().rejected.QUEUE_FULL).toBe(0)
  })

  it('takes an async iterable, and tells how each input ended', async () => {
    const batcher = createBatcher<number, number>({
      name: 'all',
      run: (ns) => ns.map((n) => (n % 2 ? n : new Error(`even ${n}`))),
    })
    async function* inputs(): AsyncGenerator<number> {
      for (let n = 1; n <= 3; n += 1) {
        await sleep(1)
        yield n
      }
    }
    const results = await batcher.submitAll(inputs())
    expect(results.map((result) => result.status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  })

  it('shares the room with other submits', async () => {
    const { run } = echo<number>()
    const batcher = createBatcher({ name: 'all', run, maxQueueSize: 2, maxBatchSize: 2 })
    const both = await Promise.all([
      batcher.submitAll([1, 2, 3, 4, 5]),
      batcher.submitAll([6, 7, 8, 9, 10]),
    ])
    expect(both.flat().every(({ status }) => status === 'fulfilled')).toBe(true)
  })

  it('takes no further input once it is aborted, and closes the iterable', async () => {
    const { run, calls } = crank<number>()
    const batcher = createBatcher({ name: 'all', run, maxQueueSize: 1, maxBatchSize: 1 })
    const controller = new AbortController()
    let closed = false
    function* endless(): Generator<number> {
      try {
        for (let n = 0; ; n += 1) yield n
      } finally {
        closed = true
      }
    }
    const all = batcher.submitAll(endless(), { signal: controller.signal })
    await turn()
    controller.abort(new Error('enough'))
    const results = await all
    expect(closed).toBe(true)
    expect(results.length).toBeGreaterThan(0)
    expect(results.every(({ status }) => status === 'rejected')).toBe(true)
    calls[0]?.finish([0])
    await batcher.drain()
  })

  it('settles what was submitted before the iterable threw, then throws', async () => {
    const { run, batches } = echo<number>()
    const batcher = createBatcher({ name: 'all', run })
    function* broken(): Generator<number> {
      yield 1
      throw new Error('broken source')
    }
    expect(await ended(batcher.submitAll(broken()))).toBe('broken source')
    expect(batches).toEqual([[1]])
  })
})
