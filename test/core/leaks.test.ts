import { AsyncLocalStorage } from 'node:async_hooks'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'

import { adopt, type ContextError, run, Snapshot, snapshotCount, watchStore } from '@heddle/context'
import { createBatcher, instrument } from '@heddle/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { turn, until } from '../support/crank.ts'
import { reachable } from '../support/gc.ts'

interface Warning {
  readonly code: string
  readonly message: string
  readonly cause: ContextError
}

const session = new AsyncLocalStorage<string>()
let warnings: Warning[] = []
const listener = (message: unknown): void => void warnings.push(message as Warning)

beforeEach(() => {
  warnings = []
  subscribe('heddle:warning', listener)
})

afterEach(() => {
  unsubscribe('heddle:warning', listener)
})

describe('the leak detector', () => {
  const store = { name: 'session', read: () => session.getStore() }

  it('is silent where nothing leaks', async () => {
    using _ = watchStore(store)
    const batcher = createBatcher<number, number>({ name: 'clean', run: async (ns) => ns })
    await session.run('caller', () => batcher.submit(1))
    await turn()
    expect(warnings).toEqual([])
  })

  it('names the batcher, the store and the cure for an `enterWith` in the batch function', async () => {
    using _ = watchStore(store)
    const batcher = createBatcher<number, number>({
      name: 'entering',
      run: (ns) => {
        // oxlint-disable-next-line no-restricted-properties
        session.enterWith('leaked')
        return ns
      },
    })
    await batcher.submit(1)
    await turn()
    expect(warnings[0]?.code).toBe('FOREIGN_LEAK')
    expect(warnings[0]?.message).toContain('`entering#1` of batcher `entering`')
    expect(warnings[0]?.message).toContain('`session` when its function returned')
    expect(warnings[0]?.message).toContain('called `enterWith`')
    expect(warnings[0]?.cause.cause).toBe('leaked')
  })

  it('expects a value in a store that is adopted, by whichever way it is watched', async () => {
    const adopted = new AsyncLocalStorage<string>()
    using _before = watchStore(adopted)
    adopt(adopted, { name: 'test.leaks.adopted', batch: 'partition' })
    using _behind = watchStore({ name: 'reader', read: () => adopted.getStore() })
    const batcher = createBatcher<number, unknown>({
      name: 'adopted',
      run: async (ns) => ns.map(() => adopted.getStore()),
    })
    expect(await adopted.run('a', () => batcher.submit(1))).toBe('a')
    await turn()
    expect(warnings).toEqual([])
  })

  it('finds what a hook has made active', async () => {
    using _store = watchStore(store)
    using _hooks = instrument({
      aroundBatch: (_batch, _members, next) => session.run('hook', next),
    })
    const batcher = createBatcher<number, number>({ name: 'hooked', run: (ns) => ns })
    await batcher.submit(1)
    await turn()
    expect(warnings[0]?.message).toContain('`session` when it started')
    expect(warnings[0]?.message).toContain('a hook of `instrument()`')
  })

  it('finds a hook that leaves the scope of the batch', async () => {
    using _ = instrument({
      aroundBatch: (_batch, _members, next) => escape.run(next),
    })
    const escape = run([], () => Snapshot.capture())
    const batcher = createBatcher<number, number>({ name: 'escaped', run: (ns) => ns })
    await batcher.submit(1)
    await turn()
    escape.release()
    expect(warnings[0]?.message).toContain('`@heddle/context` when it started')
  })

  it('takes what a store calls empty as empty, and a store that throws as well', async () => {
    using _empty = watchStore({
      name: 'null',
      read: () => null,
      isEmpty: (value) => value === null,
    })
    using _broken = watchStore({
      name: 'broken',
      read() {
        throw new Error('broken')
      },
    })
    await createBatcher<number, number>({ name: 'empty', run: (ns) => ns }).submit(1)
    await turn()
    expect(warnings).toEqual([])
  })

  it('is off in production', async () => {
    const { NODE_ENV } = process.env
    using _ = watchStore({ name: 'always', read: () => 'something' })
    try {
      process.env.NODE_ENV = 'production'
      await createBatcher<number, number>({ name: 'production', run: (ns) => ns }).submit(1)
    } finally {
      if (NODE_ENV === undefined) delete process.env.NODE_ENV
      else process.env.NODE_ENV = NODE_ENV
    }
    await turn()
    expect(warnings).toEqual([])
  })
})

describe('snapshotCount', () => {
  it('counts snapshots that are open, and those that were never released', async () => {
    const before = snapshotCount()
    const snapshot = Snapshot.capture()
    expect(snapshotCount().open).toBe(before.open + 1)
    snapshot.release()
    snapshot.release()
    expect(snapshotCount().open).toBe(before.open)
    const references = Array.from({ length: 20 }, () => new WeakRef(Snapshot.capture()))
    await reachable(references)
    // Finalizers run some time after the collection.
    await until(() => snapshotCount().lost >= before.lost + 10)
  })
})
