import { createBatcher } from '@heddle/core'
import { describe, expect, it } from 'vitest'

import { crank, echo, turn } from '../support/crank.ts'

describe('a batch', () => {
  it('takes all submits of one turn', async () => {
    const { run, batches } = echo<number>()
    const batcher = createBatcher({ name: 'echo', run })
    expect(await Promise.all([1, 2, 3].map((n) => batcher.submit(n)))).toEqual([1, 2, 3])
    expect(batches).toEqual([[1, 2, 3]])
  })

  it('takes submits of several tasks of one turn', async () => {
    const { run, batches } = echo<number>()
    const batcher = createBatcher({ name: 'echo', run })
    await Promise.all([
      batcher.submit(1),
      Promise.resolve(2).then((n) => batcher.submit(n)),
      new Promise((resolve) => process.nextTick(() => resolve(batcher.submit(3)))),
    ])
    // Node runs promise jobs before ticks here, Bun after: only the company counts.
    expect(batches.map((batch) => batch.toSorted((a, b) => a - b))).toEqual([[1, 2, 3]])
  })

  it('gives every caller the result in its place', async () => {
    const batcher = createBatcher({
      name: 'length',
      run: async (words: readonly string[]) => words.map((word) => word.length),
    })
    expect(await Promise.all(['a', 'bb', ''].map((word) => batcher.submit(word)))).toEqual([
      1, 2, 0,
    ])
  })

  it('never starts inside submit, also when it is full', async () => {
    const { run, batches } = echo<number>()
    const batcher = createBatcher({ name: 'echo', run, maxBatchSize: 1 })
    const first = batcher.submit(1)
    expect(batches).toEqual([])
    await first
    expect(batches).toEqual([[1]])
  })

  it('is split at maxBatchSize, in the order of the submits', async () => {
    const { run, batches } = echo<number>()
    const batcher = createBatcher({ name: 'echo', run, maxBatchSize: 2 })
    await Promise.all([1, 2, 3, 4, 5].map((n) => batcher.submit(n)))
    expect(batches).toEqual([[1, 2], [3, 4], [5]])
  })

  it('may be settled synchronously, with undefined as a result', async () => {
    const batcher = createBatcher<number, undefined>({
      name: 'nothing',
      run: (inputs) => inputs.map(() => undefined),
    })
    expect(await batcher.submit(1)).toBeUndefined()
  })

  it('knows its id, name, size and reason', async () => {
    const { run, calls } = crank<number>()
    const batcher = createBatcher({ name: 'known', run, maxBatchSize: 2 })
    const all = [1, 2, 3].map((n) => batcher.submit(n))
    await turn()
    calls[0]?.finish([1, 2])
    await turn()
    calls[1]?.finish([3])
    await Promise.all(all)
    expect(
      calls.map(({ batch: { id, name, size, reason, partition, deadline } }) => ({
        id,
        name,
        size,
        reason,
        partition,
        deadline,
      })),
    ).toEqual([
      { id: 'known#1', name: 'known', size: 2, reason: 'full', partition: '', deadline: undefined },
      { id: 'known#2', name: 'known', size: 1, reason: 'idle', partition: '', deadline: undefined },
    ])
  })

  it('waits only for promise jobs with `coalesce: microtask`', async () => {
    const { run, batches } = echo<number>()
    const batcher = createBatcher({ name: 'echo', run, coalesce: 'microtask' })
    const started: number[] = []
    setImmediate(() => started.push(batches.length))
    await Promise.all([batcher.submit(1), Promise.resolve(2).then((n) => batcher.submit(n))])
    expect(batches).toEqual([[1, 2]])
    await turn()
    expect(started).toEqual([1])
  })
})

describe('late binding (R5)', () => {
  it('keeps items unbound while all slots are taken, so they join one fuller batch', async () => {
    const { run, calls } = crank<number>()
    const batcher = createBatcher({ name: 'late', run })
    const first = batcher.submit(0)
    await turn()
    // A batcher that formed its batches early would now hold three of one item each.
    const later: Promise<number>[] = []
    for (const n of [1, 2, 3]) {
      later.push(batcher.submit(n))
      await turn()
    }
    expect(calls.map(({ inputs }) => inputs)).toEqual([[0]])
    expect(batcher.stats()).toMatchObject({ queued: 3, inFlight: 1 })
    calls[0]?.finish([0])
    await first
    await turn()
    expect(calls.map(({ inputs }) => inputs)).toEqual([[0], [1, 2, 3]])
    calls[1]?.finish([1, 2, 3])
    expect(await Promise.all(later)).toEqual([1, 2, 3])
  })

  it('lets an item leave until its batch starts', async () => {
    const { run, calls } = crank<number>()
    const batcher = createBatcher({ name: 'late', run })
    const first = batcher.submit(0)
    await turn()
    const controller = new AbortController()
    const leaving = batcher.submit(1, { signal: controller.signal })
    const staying = batcher.submit(2)
    await turn()
    controller.abort(new Error('left'))
    await expect(leaving).rejects.toThrow('left')
    calls[0]?.finish([0])
    await first
    await turn()
    expect(calls[1]?.inputs).toEqual([2])
    calls[1]?.finish([2])
    await staying
  })
})

describe('slots (R6)', () => {
  it('are at most maxConcurrency', async () => {
    const { run, calls } = crank<number>()
    const batcher = createBatcher({ name: 'slots', run, maxBatchSize: 1, maxConcurrency: 2 })
    const all = [1, 2, 3].map((n) => batcher.submit(n))
    await turn()
    expect(calls.map(({ inputs }) => inputs)).toEqual([[1], [2]])
    calls[1]?.finish([2])
    await turn()
    expect(calls.map(({ inputs }) => inputs)).toEqual([[1], [2], [3]])
    calls[0]?.finish([1])
    calls[2]?.finish([3])
    expect(await Promise.all(all)).toEqual([1, 2, 3])
  })

  it('are free when the batch function settles, not when it is aborted', async () => {
    const { run, calls } = crank<number>()
    const batcher = createBatcher({ name: 'slots', run })
    const controller = new AbortController()
    const left = batcher.submit(1, { signal: controller.signal })
    await turn()
    const waiting = batcher.submit(2)
    controller.abort(new Error('gone'))
    await expect(left).rejects.toThrow('gone')
    await turn()
    expect(calls).toHaveLength(1)
    expect(batcher.stats().inFlight).toBe(1)
    calls[0]?.finish([1])
    await turn()
    expect(calls).toHaveLength(2)
    calls[1]?.finish([2])
    expect(await waiting).toBe(2)
  })
})
