import { subscribe, unsubscribe } from 'node:diagnostics_channel'

import { createKey, run as runWith, tryCurrent } from '@heddle/context'
import { type BatcherHooks, createBatcher, instrument } from '@heddle/core'
import { describe, expect, it } from 'vitest'

import { crank, echo, ended, turn } from '../support/crank.ts'

const name = createKey<string>('test.instrument.name')

describe('instrument', () => {
  it('sees the caller at the submit, and nobody afterwards', async () => {
    const events: unknown[] = []
    using _ = instrument<string>({
      onSubmit(item) {
        events.push(['submit', item.batcher, item.queueSize, name.get()])
        return `note of ${name.get()}`
      },
      async aroundBatch(batch, members, next) {
        events.push(['start', batch.id, batch.size, batch.reason, members, name.get()])
        await next()
        events.push(['end', batch.id, tryCurrent()?.kind])
      },
      onSettle(item, state) {
        events.push(['settle', item.outcome, item.timing?.batchSize, state, tryCurrent()?.kind])
      },
    })
    const { run } = echo<number>()
    const batcher = createBatcher({ name: 'seen', run })
    await Promise.all(['a', 'b'].map((who, n) => runWith([name.of(who)], () => batcher.submit(n))))
    await turn()
    expect(events).toEqual([
      ['submit', 'seen', 0, 'a'],
      ['submit', 'seen', 1, 'b'],
      ['start', 'seen#1', 2, 'idle', ['note of a', 'note of b'], undefined],
      ['settle', 'fulfilled', 2, 'note of a', undefined],
      ['settle', 'fulfilled', 2, 'note of b', undefined],
      ['end', 'seen#1', 'batch'],
    ])
  })

  it('sees batchers that were made before, until it is disposed', async () => {
    const { run } = echo<number>()
    const batcher = createBatcher({ name: 'seen', run })
    let submits = 0
    const hooks = instrument({ onSubmit: () => (submits += 1) })
    await batcher.submit(1)
    hooks[Symbol.dispose]()
    await batcher.submit(2)
    expect(submits).toBe(1)
  })

  it('makes active in the batch function what the hook makes active', async () => {
    const seen: unknown[] = []
    using _ = instrument({
      aroundBatch: (batch, _members, next) => runWith([name.of(`inside ${batch.id}`)], next),
    })
    const batcher = createBatcher<number, number>({
      name: 'active',
      run: (ns) => {
        seen.push(name.get())
        return ns
      },
    })
    await runWith([name.of('caller')], () => batcher.submit(1))
    expect(seen).toEqual(['inside active#1'])
  })

  it('nests hooks of several instruments, each with its own notes', async () => {
    const order: unknown[] = []
    const hooks = (label: string): BatcherHooks<string> => ({
      onSubmit: () => label,
      async aroundBatch(_batch, members, next) {
        order.push([label, members])
        await next()
      },
    })
    using _first = instrument(hooks('first'))
    using _second = instrument(hooks('second'))
    const { run, batches } = echo<number>()
    await createBatcher({ name: 'nested', run }).submit(1)
    expect(order).toEqual([
      ['second', ['second']],
      ['first', ['first']],
    ])
    expect(batches).toEqual([[1]])
  })

  it('is told of items that never ran', async () => {
    const settled: unknown[] = []
    using _ = instrument({
      onSettle: ({ outcome, error, timing }) => settled.push([outcome, error, timing]),
    })
    const { run, calls } = crank<number>()
    const batcher = createBatcher({ name: 'never', run, maxQueueSize: 1 })
    const running = batcher.submit(0)
    await turn()
    const controller = new AbortController()
    const aborted = ended(batcher.submit(1, { signal: controller.signal }))
    await ended(batcher.submit(2))
    controller.abort(new Error('left'))
    await aborted
    expect(settled).toMatchObject([
      ['rejected', { code: 'QUEUE_FULL' }, undefined],
      ['rejected', { message: 'left' }, undefined],
    ])
    calls[0]?.finish([0])
    await running
  })

  it('sees nobody when a caller ends its own item', async () => {
    const seen: unknown[] = []
    using _ = instrument({ onSettle: () => seen.push(name.get(), tryCurrent()) })
    const { run } = echo<number>()
    const batcher = createBatcher({ name: 'left', run })
    const controller = new AbortController()
    await runWith([name.of('caller')], () => {
      const item = ended(batcher.submit(1, { signal: controller.signal }))
      controller.abort(new Error('left'))
      return item
    })
    expect(seen).toEqual([undefined, undefined])
  })

  it('rejects `next` when the batch has failed', async () => {
    const failures: unknown[] = []
    using _ = instrument({
      async aroundBatch(_batch, _members, next) {
        await next().catch((error: unknown) => failures.push(error))
      },
    })
    const failure = new Error('boom')
    const failing = createBatcher<number, number>({
      name: 'fails',
      run: () => Promise.reject(failure),
    })
    const short = createBatcher<number, number>({ name: 'short', run: () => [] })
    expect(await ended(failing.submit(1))).toBe('BATCH_FAILED')
    expect(await ended(short.submit(1))).toBe('RESULT_MISMATCH')
    await turn()
    expect(failures).toMatchObject([failure, { code: 'RESULT_MISMATCH' }])
  })
})

describe('a hook that misbehaves (R8)', () => {
  const failure = new Error('hook')
  const fails = (): never => {
    throw failure
  }
  const cases: [string, BatcherHooks, string | undefined][] = [
    ['throws in onSubmit', { onSubmit: fails }, 'onSubmit'],
    ['throws in onSettle', { onSettle: fails }, 'onSettle'],
    ['throws in aroundBatch', { aroundBatch: fails }, 'aroundBatch'],
    ['rejects before next', { aroundBatch: () => Promise.reject(failure) }, 'aroundBatch'],
    [
      'rejects after next',
      {
        async aroundBatch(_batch, _members, next) {
          await next()
          fails()
        },
      },
      'aroundBatch',
    ],
    ['never calls next', { aroundBatch: async () => {} }, undefined],
    ['never settles', { aroundBatch: () => new Promise(() => {}) }, undefined],
    [
      'calls next twice',
      {
        async aroundBatch(_batch, _members, next) {
          await Promise.all([next(), next()])
        },
      },
      undefined,
    ],
  ]

  it.each(cases)('changes nothing when it %s, and is reported once', async (_case, hooks, hook) => {
    const warnings: unknown[] = []
    const listener = (message: unknown): void => void warnings.push(message)
    subscribe('heddle:warning', listener)
    try {
      using _ = instrument(hooks)
      const { run, batches } = echo<number>()
      const batcher = createBatcher({ name: 'robust', run })
      expect(await Promise.all([1, 2].map((n) => batcher.submit(n)))).toEqual([1, 2])
      expect(await batcher.submit(3)).toBe(3)
      expect(batches).toEqual([[1, 2], [3]])
      await turn()
      expect(warnings).toMatchObject(
        hook ? [{ code: 'HOOK_FAILED', topic: hook, cause: failure }] : [],
      )
    } finally {
      unsubscribe('heddle:warning', listener)
    }
  })

  it('does not hide the failure of the batch', async () => {
    using _ = instrument({ aroundBatch: fails })
    const batcher = createBatcher<number, number>({
      name: 'robust',
      run: () => Promise.reject(new Error('boom')),
    })
    expect(await ended(batcher.submit(1))).toBe('BATCH_FAILED')
  })
})

describe('onTiming', () => {
  it('tells the caller, in its context, where the time went', async () => {
    const timings: unknown[] = []
    const { run, calls } = crank<number>()
    const batcher = createBatcher({ name: 'timed', run })
    const item = runWith([name.of('caller')], () =>
      batcher.submit(1, { onTiming: (timing) => timings.push([name.get(), timing]) }),
    )
    const other = batcher.submit(2)
    await turn()
    calls[0]?.finish([1, 2])
    await Promise.all([item, other])
    expect(timings).toEqual([
      [
        'caller',
        {
          batchId: 'timed#1',
          batchSize: 2,
          reason: 'idle',
          queued: expect.any(Number),
          ran: expect.any(Number),
        },
      ],
    ])
  })

  it('may throw without harm', async () => {
    const { run } = echo<number>()
    const batcher = createBatcher({ name: 'timed', run })
    const onTiming = (): never => {
      throw new Error('callback')
    }
    expect(await Promise.all([batcher.submit(1, { onTiming }), batcher.submit(2)])).toEqual([1, 2])
  })
})
