/** R10: a duplicate that joins another's work joins its list of waiters; nobody's context stands for all. */
import { AsyncLocalStorage } from 'node:async_hooks'

import { createKey, runRequest, tryCurrent } from '@heddle/context'
import { createBatcher } from '@heddle/core'
import { crank, virtualClock } from '@heddle/core/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { ended } from '../support/crank.ts'
import { reachable } from '../support/gc.ts'

const user = createKey<string>('test.sharing.user')
const locale = createKey<string>('test.sharing.locale', { batch: 'same' })
const roles = createKey<readonly string[]>('test.sharing.roles', {
  batch: (values) => values.flatMap((value) => value ?? []),
})
const tenant = createKey<string>('test.sharing.tenant', { batch: 'partition' })
const foreign = new AsyncLocalStorage<string>()

let clock: ReturnType<typeof virtualClock>
beforeEach(() => {
  clock = virtualClock()
})
afterEach(() => clock[Symbol.dispose]())

interface Who {
  readonly name: string
  readonly tenant?: string
  readonly locale?: string
  readonly roles?: readonly string[]
  readonly signal?: AbortSignal
}

/** Runs `fn` in a request of its own, with a value in every store. */
function as<R>({ name, signal, ...who }: Who, fn: () => R): R {
  const entries = [user.of(name), locale.of(who.locale ?? 'en'), roles.of(who.roles ?? [name])]
  if (who.tenant) entries.push(tenant.of(who.tenant))
  return foreign.run(name, () =>
    runRequest({ id: name, entries, ...(signal ? { signal } : {}) }, fn),
  )
}

function sharing(
  options: { readonly maxConcurrency?: number; readonly maxQueueSize?: number } = {},
) {
  const { run, calls } = crank<string>()
  const batcher = createBatcher({ name: 'shared', run, dedupeBy: (text) => text, ...options })
  return { batcher, calls, inputs: () => calls.map((call) => call.inputs) }
}

/** A batch in flight, so that what comes next waits. */
async function busy() {
  const made = sharing()
  const first = made.batcher.submit('busy')
  await clock.settle()
  return { ...made, first, free: () => made.calls[0]?.finish(['busy']) }
}

const seen = (): unknown[] => [user.get(), locale.get(), roles.get(), foreign.getStore()]

describe('equal items', () => {
  it('share one execution while they wait, and each caller goes on in its own context', async () => {
    const { batcher, calls, inputs } = sharing()
    const answers = ['ann', 'bob'].map((name) =>
      as({ name }, async () => [await batcher.submit('x'), user.get(), foreign.getStore()]),
    )
    const other = batcher.submit('y')
    await clock.settle()
    expect(inputs()).toEqual([['x', 'y']])
    calls[0]?.finish(['X', 'Y'])
    expect(await Promise.all(answers)).toEqual([
      ['X', 'ann', 'ann'],
      ['X', 'bob', 'bob'],
    ])
    expect(await other).toBe('Y')
    expect(batcher.stats()).toMatchObject({ submitted: 3, fulfilled: 3, duplicates: 0 })
  })

  it('share one execution while it runs', async () => {
    const { batcher, calls, inputs } = sharing()
    const first = batcher.submit('x')
    await clock.settle()
    const timings: number[] = []
    const second = batcher.submit('x', { onTiming: ({ queued }) => void timings.push(queued) })
    await clock.advance(10)
    expect(inputs()).toEqual([['x']])
    expect(batcher.stats()).toMatchObject({ queued: 0, inFlight: 1, duplicates: 1 })
    calls[0]?.finish(['X'])
    expect(await Promise.all([first, second])).toEqual(['X', 'X'])
    expect(timings).toEqual([0])
  })

  it('are new work once the first has settled, also for a caller that goes on at once', async () => {
    const { batcher, calls, inputs } = sharing()
    const again = batcher.submit('x').then(() => batcher.submit('x'))
    await clock.settle()
    calls[0]?.finish(['old'])
    await clock.settle()
    expect(inputs()).toEqual([['x'], ['x']])
    calls[1]?.finish(['new'])
    expect(await again).toBe('new')
  })

  it('of different partitions or tenants share nothing', async () => {
    const { batcher, calls } = sharing()
    const answers = ['acme', 'evil'].map((name) =>
      as({ name, tenant: name }, async () => await batcher.submit('x')),
    )
    await clock.settle()
    calls[0]?.finish([calls[0].batch.partition])
    await clock.settle()
    calls[1]?.finish([calls[1].batch.partition])
    expect(await Promise.all(answers)).toEqual([
      'test.sharing.tenant=acme',
      'test.sharing.tenant=evil',
    ])
  })

  it('cannot be made to meet by a text that looks like a partition', async () => {
    const { run, calls } = crank<readonly [string, string]>()
    const batcher = createBatcher({
      name: 'shared',
      run,
      partitionBy: ([partition]) => partition,
      dedupeBy: ([, text]) => text,
      maxConcurrency: 9,
    })
    void batcher.submit(['a', 'b'])
    void batcher.submit(['a2:0:', 'b'])
    void batcher.submit(['', '1:ab'])
    await clock.settle()
    expect(calls.map(({ inputs }) => inputs.length)).toEqual([1, 1, 1])
    for (const call of calls) call.finish(call.inputs)
  })
})

describe('the item of several callers', () => {
  it('is in the context of none of them', async () => {
    const { batcher, calls } = sharing()
    const answers = ['ann', 'bob'].map((name) => as({ name }, () => batcher.submit('x')))
    await clock.settle()
    const [item] = calls[0]?.batch.items ?? []
    expect(item?.run(seen)).toEqual([undefined, 'en', ['ann', 'bob'], undefined])
    expect(item?.run(() => tryCurrent()?.kind)).toBe('item')
    expect(
      await item?.run(async () => {
        await Promise.resolve()
        return seen()
      }),
    ).toEqual([undefined, 'en', ['ann', 'bob'], undefined])
    expect([item?.get(user), item?.get(locale), item?.get(roles)]).toEqual([
      undefined,
      'en',
      ['ann', 'bob'],
    ])
    expect(item?.scope).toBeUndefined()
    expect(item?.waiters.map((waiter) => waiter.run(() => seen()[3]))).toEqual(['ann', 'bob'])
    expect(() => item?.run(() => user.getOrThrow())).toThrow(
      expect.objectContaining({ code: 'IN_BATCH' }),
    )
    expect(() => item?.run(() => user.set('eve'))).toThrow(
      expect.objectContaining({ code: 'IN_BATCH' }),
    )
    calls[0]?.finish(['X'])
    await Promise.all(answers)
  })

  it('leaves the context of the first when a second joins in flight', async () => {
    const { batcher, calls } = sharing()
    const readers = ['reader']
    const first = as({ name: 'ann', roles: readers }, () => batcher.submit('x'))
    await clock.settle()
    const [item] = calls[0]?.batch.items ?? []
    expect(item?.waiters.length).toBe(1)
    const second = as({ name: 'bob', roles: readers }, () => batcher.submit('x'))
    expect(item?.waiters.length).toBe(2)
    expect(item?.run(seen)).toEqual([undefined, 'en', ['reader', 'reader'], undefined])
    calls[0]?.finish(['X'])
    await Promise.all([first, second])
  })

  it('shows the batch the values of all of them', async () => {
    const { run, calls } = crank<string>()
    const shown: unknown[] = []
    const batcher = createBatcher({
      name: 'shared',
      dedupeBy: (text: string) => text,
      run(inputs, batch) {
        shown.push(roles.get(), locale.get())
        return run(inputs, batch)
      },
    })
    const answers = [
      as({ name: 'ann' }, () => batcher.submit('x')),
      as({ name: 'bob', locale: 'de' }, () => batcher.submit('x')),
    ]
    await clock.settle()
    expect(shown).toEqual([['ann', 'bob'], undefined])
    calls[0]?.finish(['X'])
    await Promise.all(answers)
  })

  it('rejects each with an error of its own', async () => {
    const { batcher, calls } = sharing()
    const answers = [batcher.submit('x'), batcher.submit('x')]
    await clock.settle()
    const error = new Error('no such x')
    calls[0]?.finish([error])
    const [first, second] = await Promise.allSettled(answers)
    expect(first).toEqual({ status: 'rejected', reason: error })
    expect(second).toMatchObject({ reason: { code: 'BATCH_FAILED', cause: error } })
  })
})

describe('when one of several callers leaves', () => {
  it('the work stays for the others, whoever came first', async () => {
    const { batcher, calls, inputs, first, free } = await busy()
    const controller = new AbortController()
    const ann = ended(as({ name: 'ann', signal: controller.signal }, () => batcher.submit('x')))
    const bob = as({ name: 'bob' }, () => batcher.submit('x'))
    controller.abort(new Error('ann has left'))
    expect(await ann).toBe('ann has left')
    free()
    await clock.settle()
    expect(inputs()).toEqual([['busy'], ['x']])
    expect(calls[1]?.batch.items[0]?.run(seen)).toEqual(['bob', 'en', ['bob'], 'bob'])
    calls[1]?.finish(['X'])
    expect([await bob, await first]).toEqual(['X', 'busy'])
  })

  it('in flight, its signal says nothing until the last has left', async () => {
    const { batcher, calls } = sharing()
    const [ann, bob] = [new AbortController(), new AbortController()]
    const ends = [
      ended(as({ name: 'ann', signal: ann.signal }, () => batcher.submit('x'))),
      ended(as({ name: 'bob', signal: bob.signal }, () => batcher.submit('x'))),
    ]
    await clock.settle()
    const batch = calls[0]?.batch
    const item = batch?.items[0]
    const { signal } = item ?? {}
    ann.abort(new Error('ann has left'))
    expect([signal?.aborted, batch?.signal.aborted]).toEqual([false, false])
    expect(item?.run(() => user.get())).toBe('bob')
    bob.abort(new Error('bob has left'))
    expect([signal?.aborted, batch?.signal.aborted]).toEqual([true, true])
    expect(await Promise.all(ends)).toEqual(['ann has left', 'bob has left'])
    calls[0]?.finish(['X'])
    await clock.settle()
    expect(batcher.stats()).toMatchObject({ inFlight: 0, duplicates: 0, queued: 0 })
  })

  it('nobody joins work that everybody has left', async () => {
    const { batcher, calls, inputs } = sharing({ maxConcurrency: 2 })
    const controller = new AbortController()
    const left = ended(batcher.submit('x', { signal: controller.signal }))
    await clock.settle()
    controller.abort(new Error('left'))
    const answer = batcher.submit('x')
    await clock.settle()
    expect(inputs()).toEqual([['x'], ['x']])
    for (const call of calls) call.finish(['X'])
    expect(await Promise.all([left, answer])).toEqual(['left', 'X'])
  })

  it('each has its own deadline, and the batch the latest', async () => {
    const { batcher, calls } = sharing()
    const ends = [100, 300].map((timeout) => ended(batcher.submit('x', { timeout })))
    await clock.settle()
    expect(calls[0]?.batch.deadline).toBe(clock.now() + 300)
    await clock.advance(200)
    calls[0]?.finish(['X'])
    expect(await Promise.all(ends)).toEqual(['DEADLINE_EXCEEDED', 'X'])
    await clock.settle()
    expect(clock.timers).toBe(0)
  })

  it('its request is let go while the others still wait (R9)', async () => {
    const { batcher, calls, first, free } = await busy()
    const controller = new AbortController()
    const references: WeakRef<object>[] = []
    const leave = (): Promise<unknown> =>
      runRequest({ signal: controller.signal }, async (scope) => {
        references.push(new WeakRef(scope))
        return ended(batcher.submit('x'))
      })
    const left = Promise.all(Array.from({ length: 54 }, leave))
    // The last ones may stand on the machine's stack still.
    references.length = 50
    const bob = batcher.submit('x')
    controller.abort(new Error('left'))
    await left
    await clock.settle()
    expect(await reachable(references)).toBeLessThanOrEqual(1)
    free()
    await clock.settle()
    calls[1]?.finish(['X'])
    expect([await bob, await first]).toEqual(['X', 'busy'])
  })
})

describe('the queue', () => {
  it('counts callers that wait for the same work', async () => {
    const { batcher, calls } = sharing({ maxQueueSize: 3 })
    const answers = [1, 2, 3].map(() => batcher.submit('x'))
    expect(await ended(batcher.submit('x'))).toBe('QUEUE_FULL')
    await clock.settle()
    calls[0]?.finish(['X'])
    expect(await Promise.all(answers)).toEqual(['X', 'X', 'X'])
  })

  it('lets work go as early as the first of its callers would on its own', async () => {
    const { batcher, calls, inputs, first, free } = await busy()
    batcher.configure({ maxBatchSize: 1 })
    const answers = [
      batcher.submit('slow', { priority: 'low' }),
      batcher.submit('middling'),
      batcher.submit('slow', { priority: 'high' }),
    ]
    free()
    await clock.settle()
    expect(inputs().at(-1)).toEqual(['slow'])
    calls[1]?.finish(['S'])
    await clock.settle()
    calls[2]?.finish(['M'])
    expect(await Promise.all([first, ...answers])).toEqual(['busy', 'S', 'M', 'S'])
  })

  it('never lets a batch function wait for itself', async () => {
    const results: unknown[] = []
    const batcher = createBatcher<string, string>({
      name: 'shared',
      dedupeBy: (text) => text,
      maxConcurrency: 2,
      async run(inputs, batch) {
        if (batch.id === 'shared#1') results.push(await ended(batcher.submit('x')))
        return inputs.map((input) => `${input} of ${batch.id}`)
      },
    })
    const answer = batcher.submit('x')
    await clock.settle()
    expect(await answer).toBe('x of shared#1')
    expect(results).toEqual(['x of shared#2'])
  })

  it('refuses what `dedupeBy` makes of a bad input, and nothing else', async () => {
    const { run, calls } = crank<string>()
    const dedupeBy = (text: string): string => (text === 'bad' ? (undefined as never) : text)
    const batcher = createBatcher({ name: 'shared', run, dedupeBy })
    const bad = ended(batcher.submit('bad'))
    const good = batcher.submit('good')
    expect(await bad).toBe('BATCH_FAILED')
    await clock.settle()
    calls[0]?.finish(['G'])
    expect(await good).toBe('G')
  })
})
