import { runRequest } from '@heddle/context'
import { createBatcher } from '@heddle/core'
import { virtualClock } from '@heddle/core/testing'
import { describe, expect, it } from 'vitest'

import { crank, ended, sleep, turn } from '../support/crank.ts'

describe('an aborted caller', () => {
  it('is rejected at once with the reason, whether its item waits or runs', async () => {
    const { run, calls } = crank<number>()
    const batcher = createBatcher({ name: 'abort', run })
    const running = new AbortController()
    const queued = new AbortController()
    const first = batcher.submit(1, { signal: running.signal })
    await turn()
    const second = batcher.submit(2, { signal: queued.signal })
    const reason = new Error('client left')
    running.abort(reason)
    queued.abort(reason)
    // Its own reason is the one error object that callers may share.
    expect(await first.catch((error: unknown) => error)).toBe(reason)
    expect(await second.catch((error: unknown) => error)).toBe(reason)
    calls[0]?.finish([1])
    await batcher.drain()
    expect(calls).toHaveLength(1)
    expect(batcher.stats().rejected.aborted).toBe(2)
  })

  it('never joins the queue with a signal that is aborted already', async () => {
    const { run, calls } = crank<number>()
    const batcher = createBatcher({ name: 'abort', run })
    expect(await ended(batcher.submit(1, { signal: AbortSignal.abort(new Error('before')) }))).toBe(
      'before',
    )
    await turn()
    expect(calls).toEqual([])
  })

  it('gets an Error when the reason is none: on Node a client that leaves gives a string', async () => {
    const batcher = createBatcher<number, number>({ name: 'abort', run: (ns) => ns })
    const error = await batcher
      .submit(1, { signal: AbortSignal.abort('Error: aborted') })
      .catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(DOMException)
    expect(error).toMatchObject({ name: 'AbortError', cause: 'Error: aborted' })
  })

  it('does not disturb its batch-mates', async () => {
    const { run, calls } = crank<number>()
    const batcher = createBatcher({ name: 'abort', run })
    const controller = new AbortController()
    const leaving = batcher.submit(1, { signal: controller.signal })
    const staying = batcher.submit(2)
    await turn()
    const { batch } = calls[0]!
    controller.abort(new Error('left'))
    expect(await ended(leaving)).toBe('left')
    expect(batch.items.map((item) => item.signal.aborted)).toEqual([true, false])
    expect(batch.signal.aborted).toBe(false)
    calls[0]?.finish([1, 2])
    expect(await staying).toBe(2)
    expect(batch.signal.aborted).toBe(false)
  })

  it('is forgotten by its signal when its item has settled', async () => {
    const { run } = { run: (ns: readonly number[]) => ns }
    const batcher = createBatcher({ name: 'abort', run })
    const controller = new AbortController()
    let listeners = 0
    const { signal } = controller
    const add = signal.addEventListener.bind(signal)
    const remove = signal.removeEventListener.bind(signal)
    signal.addEventListener = (...args: Parameters<typeof add>) => ((listeners += 1), add(...args))
    signal.removeEventListener = (...args: Parameters<typeof remove>) => (
      (listeners -= 1),
      remove(...args)
    )
    await batcher.submit(1, { signal })
    expect(listeners).toBe(0)
    controller.abort()
  })
})

describe('batch.signal (R7)', () => {
  it('aborts only when the last member is gone', async () => {
    const { run, calls } = crank<number>()
    const batcher = createBatcher({ name: 'all', run })
    const controllers = [1, 2, 3].map(() => new AbortController())
    const items = controllers.map(({ signal }, n) => ended(batcher.submit(n, { signal })))
    await turn()
    const { signal } = calls[0]!.batch
    for (const [n, controller] of controllers.entries()) {
      expect(signal.aborted).toBe(false)
      controller.abort(new Error(`left ${n}`))
    }
    expect(signal.aborted).toBe(true)
    expect(await Promise.all(items)).toEqual(['left 0', 'left 1', 'left 2'])
    // A batch function that stops then, by rejecting, is nobody's unhandled rejection.
    calls[0]?.fail(signal.reason)
    await batcher.drain()
  })

  it('counts members that left before the signal was first asked for', async () => {
    const { run, calls } = crank<number>()
    const batcher = createBatcher({ name: 'all', run })
    const controller = new AbortController()
    const item = ended(batcher.submit(1, { signal: controller.signal }))
    await turn()
    controller.abort(new Error('left'))
    await item
    expect(calls[0]?.batch.signal.aborted).toBe(true)
    expect(calls[0]?.batch.items[0]?.signal.aborted).toBe(true)
    calls[0]?.finish([1])
  })
})

describe('a scope', () => {
  it('takes its queued items away when it is aborted', async () => {
    const { run, calls } = crank<number>()
    const batcher = createBatcher({ name: 'scope', run })
    const blocking = batcher.submit(0)
    await turn()
    const client = new AbortController()
    const leaving = runRequest({ signal: client.signal }, () =>
      Promise.all([1, 2].map((n) => ended(batcher.submit(n)))),
    )
    const staying = batcher.submit(3)
    client.abort(new Error('gone'))
    expect(await leaving).toEqual(['gone', 'gone'])
    calls[0]?.finish([0])
    await blocking
    await turn()
    expect(calls[1]?.inputs).toEqual([3])
    calls[1]?.finish([3])
    await staying
  })

  it('aborts all its items, though the end of one ends another', async () => {
    const { run, calls } = crank<number>()
    const batcher = createBatcher({ name: 'scope', run, maxBatchSize: 1, maxConcurrency: 3 })
    const client = new AbortController()
    const own = new AbortController()
    const outcomes = runRequest({ signal: client.signal }, () =>
      Promise.all([
        ended(batcher.submit(1)),
        ended(batcher.submit(2, { signal: own.signal })),
        ended(batcher.submit(3)),
      ]),
    )
    await turn()
    for (const index of [0, 2]) {
      calls[index]?.batch.signal.addEventListener('abort', () => own.abort(new Error('own')))
    }
    client.abort(new Error('gone'))
    expect(await outcomes).toEqual(['gone', 'own', 'gone'])
    for (const call of calls) call.finish(call.inputs)
    await batcher.drain()
  })

  it('rejects what is submitted after it was aborted', async () => {
    const batcher = createBatcher<number, number>({ name: 'scope', run: (ns) => ns })
    const client = new AbortController()
    const result = runRequest({ signal: client.signal }, async () => {
      client.abort(new Error('gone'))
      return ended(batcher.submit(1))
    })
    expect(await result).toBe('gone')
  })

  it('does not abort what it has not awaited when it ends normally', async () => {
    const { run, calls } = crank<number>()
    const batcher = createBatcher({ name: 'scope', run })
    let promise: Promise<number> | undefined
    runRequest({}, () => {
      promise = batcher.submit(1)
    })
    await turn()
    calls[0]?.finish([1])
    expect(await promise).toBe(1)
  })

  it('gives its deadline to its items', async () => {
    const { run } = crank<number>()
    const batcher = createBatcher({ name: 'scope', run, timeout: 60_000 })
    const result = runRequest({ timeout: 20 }, () => ended(batcher.submit(1, { timeout: 50_000 })))
    expect(await result).toBe('DEADLINE_EXCEEDED')
  })
})

describe('a deadline', () => {
  it('ends an item that waits, though no slot becomes free', async () => {
    const { run, calls } = crank<number>()
    const batcher = createBatcher({ name: 'late', run })
    const blocking = batcher.submit(0)
    await turn()
    expect(await ended(batcher.submit(1, { timeout: 10 }))).toBe('DEADLINE_EXCEEDED')
    expect(batcher.stats().queued).toBe(0)
    calls[0]?.finish([0])
    await blocking
    await turn()
    expect(calls).toHaveLength(1)
  })

  it('ends an item that runs, and its batch when it was the last', async () => {
    using clock = virtualClock()
    const { run, calls } = crank<number>()
    const batcher = createBatcher({ name: 'late', run, timeout: 10 })
    const item = ended(batcher.submit(1))
    await clock.advance(10)
    expect(await item).toBe('DEADLINE_EXCEEDED')
    expect(calls[0]?.batch.signal.aborted).toBe(true)
    calls[0]?.finish([1])
    await batcher.drain()
  })

  it('of a batch is the latest of its members', async () => {
    using clock = virtualClock()
    const { run, calls } = crank<number>()
    const batcher = createBatcher({ name: 'late', run })
    const submittedAt = clock.now()
    const both = [batcher.submit(1, { timeout: 1_000 }), batcher.submit(2, { timeout: 5_000 })]
    await clock.settle()
    expect(calls[0]?.batch.deadline).toBe(submittedAt + 5_000)
    calls[0]?.finish([1, 2])
    await Promise.all(both)
  })

  it('may be further away than a timer can be set', async () => {
    const { run, calls } = crank<number>()
    const batcher = createBatcher({ name: 'far', run })
    const item = batcher.submit(1, { timeout: 2 ** 40 })
    await turn()
    // One that could not be set would have fired before this one.
    await sleep(20)
    expect(batcher.stats()).toMatchObject({ inFlight: 1, rejected: { DEADLINE_EXCEEDED: 0 } })
    calls[0]?.finish([1])
    expect(await item).toBe(1)
  })

  it('expires items in the order of their deadlines', async () => {
    using clock = virtualClock()
    const { run, calls } = crank<number>()
    const batcher = createBatcher({ name: 'order', run })
    const blocking = batcher.submit(0)
    await clock.settle()
    const order: number[] = []
    const all = [40, 10, 30, 20].map(async (timeout) => {
      await ended(batcher.submit(timeout, { timeout }))
      order.push(timeout)
    })
    await clock.advance(40)
    await Promise.all(all)
    expect(order).toEqual([10, 20, 30, 40])
    calls[0]?.finish([0])
    await blocking
  })
})
