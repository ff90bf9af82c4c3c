/** A store of the app that batches know by a rule: own-store code works unchanged in every kind of batch. */
import { AsyncLocalStorage } from 'node:async_hooks'

import {
  adopt,
  createKey,
  detach,
  runCarrier,
  runNeutral,
  runRequest,
  toCarrier,
} from '@heddle/context'
import {
  createBatcher,
  createContinuousBatcher,
  createStreamBatcher,
  END,
  isBatcherError,
} from '@heddle/core'
import { DataLoader } from '@heddle/core/dataloader'
import { crank } from '@heddle/core/testing'
import { describe, expect, it } from 'vitest'

import { turn } from '../support/crank.ts'

const currentTenant = new AsyncLocalStorage<string>()
const tenant = adopt(currentTenant, {
  name: 'test.adopt.tenant',
  batch: 'partition',
  carry: { encode: (value) => value, decode: (text) => text },
})

interface Visitor {
  readonly user: string
  readonly tenant?: string
}

const currentVisitor = new AsyncLocalStorage<Visitor>()
const visitorsTenant = adopt(currentVisitor, {
  name: 'test.adopt.visitor',
  batch: 'partition',
  read: (visitor) => visitor.tenant,
  enter: (name) => ({ user: 'a batch', tenant: name }),
})

const scoped = createKey<string>('test.adopt.scoped', { batch: 'same' })

/** Calls `fn` as 40 callers of two tenants do, all at once. */
function fromBoth<R>(fn: (tenant: string, index: number) => R): R[] {
  return Array.from({ length: 40 }, (_, index) => {
    const name = index % 2 === 0 ? 'acme' : 'evil'
    return currentTenant.run(name, () => fn(name, index))
  })
}

/** Everything a batch function may do before it reads the store. */
const moments: Record<string, (read: () => unknown) => unknown> = {
  'at once': (read) => read(),
  'after an await': async (read) => {
    await Promise.resolve()
    return read()
  },
  'in a timer': (read) => new Promise((resolve) => setTimeout(() => resolve(read()), 0)),
  'in a lazy thenable, which works when it is awaited': (read) => ({
    // oxlint-disable-next-line unicorn/no-thenable
    then: (resolve: (value: unknown) => void) => resolve(read()),
  }),
}

describe.each(Object.entries(moments))('code that reads an adopted store %s', (_moment, when) => {
  it('gives the callers of each tenant their own, in one batch per tenant', async () => {
    const batches: unknown[] = []
    const users = createBatcher<number, unknown>({
      name: 'users',
      run: async (ids) => {
        const seen = await when(() => currentTenant.getStore())
        batches.push([ids.length, seen])
        return ids.map(() => seen)
      },
    })
    const answers = await Promise.all(
      fromBoth(async (name, index) => [name, await users.submit(index), currentTenant.getStore()]),
    )
    for (const [name, answer, after] of answers) expect([answer, after]).toEqual([name, name])
    expect(batches).toEqual([
      [20, 'acme'],
      [20, 'evil'],
    ])
  })
})

describe('an adopted store in a batch', () => {
  it('is known to the partition, but for `redact`', async () => {
    const secret = new AsyncLocalStorage<string>()
    adopt(secret, { name: 'test.adopt.secret', batch: 'partition', redact: true })
    const batcher = createBatcher<number, string>({
      name: 'label',
      run: (ids, { partition }) => ids.map(() => partition),
    })
    const label = currentTenant.run('acme', () => secret.run('password', () => batcher.submit(1)))
    expect(await label).toBe('test.adopt.tenant=acme,test.adopt.secret=[redacted]')
  })

  it('works inside a request and without one, entered before the request or in it', async () => {
    const { run, calls } = crank<string>()
    const batcher = createBatcher({ name: 'anywhere', run })
    const asked = [
      currentTenant.run('acme', () => batcher.submit('no request')),
      currentTenant.run('acme', () => runRequest({}, () => batcher.submit('before'))),
      runRequest({}, () => currentTenant.run('acme', () => batcher.submit('in it'))),
      runRequest({}, () => batcher.submit('nobody')),
    ]
    await turn()
    calls[0]?.finish(['no request', 'before', 'in it'])
    await turn()
    calls[1]?.finish(['nobody'])
    expect(await Promise.all(asked)).toEqual(['no request', 'before', 'in it', 'nobody'])
    expect(calls.map(({ batch }) => batch.partition)).toEqual(['test.adopt.tenant=acme', ''])
  })

  it('has the store that `enter` makes, with nothing of a member in it', async () => {
    const seen: unknown[] = []
    const batcher = createBatcher<number, number>({
      name: 'visitors',
      run: async (ids) => {
        await Promise.resolve()
        seen.push([ids.length, currentVisitor.getStore(), visitorsTenant.get()])
        return ids
      },
    })
    const as = (user: string, name: string): Promise<number> =>
      currentVisitor.run({ user, tenant: name }, () => batcher.submit(1))
    await Promise.all([as('ada', 'acme'), as('bob', 'acme'), as('eve', 'evil')])
    expect(seen).toEqual([
      [2, { user: 'a batch', tenant: 'acme' }, 'acme'],
      [1, { user: 'a batch', tenant: 'evil' }, 'evil'],
    ])
  })

  it('keeps the store empty with `read` and no `enter`; its key has the value', async () => {
    const store = new AsyncLocalStorage<{ readonly id: string }>()
    const key = adopt(store, {
      name: 'test.adopt.read-only',
      batch: 'partition',
      read: ({ id }) => id,
    })
    const batcher = createBatcher<number, unknown>({
      name: 'read-only',
      run: () => [runNeutral(() => store.getStore()) ?? 'empty', key.get()].slice(1),
    })
    expect(await store.run({ id: 'a' }, () => batcher.submit(1))).toBe('a')
  })

  it.each([
    ['same', ['en', 'en'], 'en'],
    ['same', ['en', 'de'], undefined],
    ['hide', ['en', 'en'], undefined],
    [(all: readonly (string | undefined)[]) => all.join('+'), ['en', 'de'], 'en+de'],
    [() => undefined, ['en', 'de'], undefined],
  ] as const)('shows by the rule %s of %j: %j', async (rule, [first, second], shown) => {
    const store = new AsyncLocalStorage<string>()
    const key = adopt(store, { name: `test.adopt.rule.${String(rule)}.${second}`, batch: rule })
    const seen: unknown[] = []
    const batcher = createBatcher<number, number>({
      name: 'rules',
      run: async (ids, { items }) => {
        seen.push(ids.length, store.getStore(), key.get())
        await Promise.resolve()
        seen.push(store.getStore(), ...items.map((item) => item.get(key)))
        seen.push(...items.map((item) => item.run(() => [store.getStore(), key.get()])))
        return ids
      },
    })
    await Promise.all([first, second].map((value) => store.run(value, () => batcher.submit(1))))
    expect(seen).toEqual([2, shown, shown, shown, first, second, [first, first], [second, second]])
  })

  it('gives `item.get` and the batch the value of the submit, whatever the store has now', async () => {
    const state = { value: 'first' }
    const mutable = {
      getStore: () => state.value,
      run: <R>(_value: string, fn: () => R): R => fn(),
    }
    const key = adopt(mutable, { name: 'test.adopt.mutable', batch: 'same' })
    const { run, calls } = crank<number, unknown>()
    const batcher = createBatcher<number, unknown>({ name: 'mutable', run })
    const answer = batcher.submit(1)
    state.value = 'second'
    await turn()
    calls[0]?.finish([calls[0].batch.items[0]?.get(key)])
    expect(await answer).toBe('first')
  })

  it('rejects the one submit whose store cannot be read', async () => {
    const store = new AsyncLocalStorage<{ readonly tenant?: { readonly id: string } }>()
    const failure = new TypeError('no tenant')
    adopt(store, {
      name: 'test.adopt.throws',
      batch: 'partition',
      read(visitor) {
        if (visitor.tenant === undefined) throw failure
        return visitor.tenant.id
      },
    })
    const batcher = createBatcher<number, number>({ name: 'throws', run: (ids) => ids })
    const answers = await Promise.allSettled([
      store.run({ tenant: { id: 'acme' } }, () => batcher.submit(1)),
      store.run({}, () => batcher.submit(2)),
      batcher.submit(3),
    ])
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    const reason: unknown = answers[1]?.status === 'rejected' ? answers[1].reason : undefined
    expect(isBatcherError(reason) && reason.code).toBe('BATCH_FAILED')
    expect(reason).toHaveProperty('cause', failure)
    expect(batcher.stats().inFlight).toBe(0)
  })

  it('fails the batch, and frees its slot, when `enter` throws or `run` is asynchronous', async () => {
    let isBroken = true
    const store = new AsyncLocalStorage<string>()
    const wrapper = {
      getStore: () => store.getStore(),
      run<R>(value: string, fn: () => R): R {
        if (isBroken) return undefined as R
        return store.run(value, fn)
      },
    }
    adopt(wrapper, {
      name: 'test.adopt.broken',
      batch: 'partition',
      enter(value) {
        if (value === 'throws') throw new Error('cannot enter')
        return value
      },
    })
    const batcher = createBatcher<number, number>({ name: 'broken', run: (ids) => ids })
    const submit = (value: string): Promise<unknown> =>
      store.run(value, () => batcher.submit(1)).catch((error: unknown) => error)
    expect(await submit('throws')).toMatchObject({
      code: 'BATCH_FAILED',
      cause: { message: 'cannot enter' },
    })
    expect(await submit('async')).toMatchObject({
      code: 'BATCH_FAILED',
      cause: { message: expect.stringContaining('to call its function at once') },
    })
    isBroken = false
    expect(await submit('fine')).toBe(1)
  })

  it('has no value where the app has cleared it, whatever the code around had', async () => {
    const inner = createBatcher<number, unknown>({
      name: 'cleared',
      run: (ids) => ids.map(() => [currentTenant.getStore() ?? 'none', tenant.get() ?? 'none']),
    })
    const cleared = (): Promise<unknown> =>
      currentTenant.run(undefined as unknown as string, () => inner.submit(1))
    const outer = createBatcher<number, unknown>({
      name: 'clearing',
      run: (ids) => Promise.all(ids.map(cleared)),
    })
    const carrier = currentTenant.run('acme', () => runRequest({}, () => toCarrier()))
    const answers = currentTenant.run('acme', () => [
      cleared(),
      outer.submit(1),
      detach(cleared, { keep: [tenant] }),
      runCarrier(carrier, cleared),
    ])
    expect(await Promise.all(answers)).toEqual(answers.map(() => ['none', 'none']))
  })

  it('reaches a batcher that a batch function submits to', async () => {
    const inner = createBatcher<number, unknown>({
      name: 'inner',
      run: (ids) => ids.map(() => [currentTenant.getStore(), visitorsTenant.get()]),
    })
    const outer = createBatcher<number, unknown>({
      name: 'outer',
      run: (ids) => Promise.all(ids.map((id) => inner.submit(id))),
    })
    const answer = currentTenant.run('acme', () =>
      currentVisitor.run({ user: 'ada', tenant: 'a' }, () => outer.submit(1)),
    )
    expect(await answer).toEqual(['acme', 'a'])
  })
})

describe('an adopted store in other kinds of batches', () => {
  it('is entered in a generator, between its chunks too', async () => {
    const words = createStreamBatcher<number, unknown>({
      name: 'words',
      async *run(inputs) {
        for (const index of inputs.keys()) yield [index, currentTenant.getStore()]
        await Promise.resolve()
        for (const index of inputs.keys()) yield [index, currentTenant.getStore()]
        for (const index of inputs.keys()) yield [index, END]
      },
    })
    const streams = await Promise.all(
      fromBoth(async (name, index) => [name, await Array.fromAsync(words.stream(index))]),
    )
    for (const [name, chunks] of streams) expect(chunks).toEqual([name, name])
  })

  it('is entered in `start`, in the steps and in `end`, which each have one tenant', async () => {
    const steps: unknown[] = []
    const ended: unknown[] = []
    const words = createContinuousBatcher<number, { left: number }, unknown>({
      name: 'steps',
      start: async () => {
        await Promise.resolve()
        return { left: currentTenant.getStore() === 'acme' ? 2 : 1 }
      },
      step: async (active) => {
        const seen = currentTenant.getStore()
        await Promise.resolve()
        steps.push([seen, currentTenant.getStore(), active.map(({ item }) => item.get(tenant))])
        return active.map(({ state }) => ({ chunk: seen, done: (state.left -= 1) === 0 }))
      },
      end: () => void ended.push(currentTenant.getStore()),
    })
    const read = (name: string): Promise<unknown[]> =>
      currentTenant.run(name, () => Array.fromAsync(words.stream(1)))
    expect(await Promise.all([read('acme'), read('evil')])).toEqual([['acme', 'acme'], ['evil']])
    for (const [at, after, members] of steps as [string, string, string[]][]) {
      expect([after, ...members]).toEqual([at, ...members.map(() => at)])
    }
    expect(new Set(ended)).toEqual(new Set(['acme', 'evil']))
    expect(ended.length).toBe(2)
  })

  it('is that of its tenant in a loader, whose caches are kept apart', async () => {
    const calls: unknown[] = []
    const users = new DataLoader<number, unknown>(async (ids) => {
      await Promise.resolve()
      calls.push([currentTenant.getStore(), ...ids])
      return ids.map((id) => `${id} of ${currentTenant.getStore()}`)
    })
    const load = (name: string): Promise<unknown> =>
      currentTenant.run(name, async () => [await users.load(1), await users.load(1)])
    expect(await runRequest({}, () => Promise.all([load('acme'), load('evil')]))).toEqual([
      ['1 of acme', '1 of acme'],
      ['1 of evil', '1 of evil'],
    ])
    expect(calls).toEqual([
      ['acme', 1],
      ['evil', 1],
    ])
  })

  it('is in the merged context of an item that several wait for, and apart in each of theirs', async () => {
    const user = new AsyncLocalStorage<string>()
    adopt(user, { name: 'test.adopt.user', batch: 'same' })
    const seen: unknown[] = []
    const shared = createBatcher<string, string>({
      name: 'shared',
      dedupeBy: (text) => text,
      run: async (texts, { items }) => {
        await Promise.resolve()
        for (const { run, waiters } of items.map((item) => ({
          run: <R>(fn: () => R): R => item.run(fn),
          waiters: item.waiters,
        }))) {
          const read = (): unknown => [currentTenant.getStore(), user.getStore()]
          seen.push(
            run(read),
            waiters.map((waiter) => waiter.run(read)),
          )
        }
        return texts
      },
    })
    const as = (name: string): Promise<string> =>
      currentTenant.run('acme', () => user.run(name, () => shared.submit('x')))
    await Promise.all([as('ada'), as('bob')])
    expect(seen).toEqual([
      ['acme', undefined],
      [
        ['acme', 'ada'],
        ['acme', 'bob'],
      ],
    ])
  })
})

describe('an adopted store outside batches', () => {
  it('goes with detached work that keeps its key, and stays behind otherwise', async () => {
    const seen = await currentTenant.run('acme', () =>
      runRequest({}, () => [
        detach(async () => [await Promise.resolve(), currentTenant.getStore(), tenant.get()], {
          keep: [tenant],
        }),
        detach(() => currentTenant.getStore()),
      ]),
    )
    expect(await Promise.all(seen)).toEqual([[undefined, 'acme', 'acme'], undefined])
  })

  it('is as it was at the registration when a scope closes', () => {
    const seen: unknown[] = []
    runRequest({}, (scope) => {
      currentTenant.run('acme', () =>
        scope.onClose(() => seen.push(currentTenant.getStore(), tenant.get())),
      )
    })
    expect(seen).toEqual(['acme', 'acme'])
  })

  it('travels in a carrier that its key has `carry` for', () => {
    const carrier = currentTenant.run('acme', () => runRequest({}, () => toCarrier()))
    expect(carrier.entries).toEqual([['test.adopt.tenant', 'acme']])
    const read = (): unknown => [currentTenant.getStore(), tenant.get()]
    expect(runCarrier(structuredClone(carrier), read)).toEqual(['acme', 'acme'])
    expect(scoped.get()).toBeUndefined()
  })
})
