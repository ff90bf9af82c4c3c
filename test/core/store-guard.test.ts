/** Reads of the app's own stores that find them empty, where the requests behind them have values. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { Script } from 'node:vm'

import {
  adopt,
  ContextError,
  detach,
  openBatchScope,
  runNeutral,
  runRequest,
  Snapshot,
  watchStore,
} from '@heddle/context'
import { createBatcher, createContinuousBatcher, createStreamBatcher, END } from '@heddle/core'
import { strictStores } from '@heddle/core/testing'
import { describe, expect, it } from 'vitest'

import { collectedWarnings } from '../support/warnings.ts'

const warnings = collectedWarnings()

const reads = (): number => warnings.filter(({ code }) => code === 'IN_BATCH').length

/** A batcher whose batch function calls `fn`. */
function calling(name: string, fn: () => unknown) {
  return createBatcher<number, number>({
    name,
    run: async (ids) => {
      await fn()
      return ids
    },
  })
}

describe('the guard', () => {
  it('names the batcher, the place of the read and the cure, once for a batcher and a store', async () => {
    const store = new AsyncLocalStorage<string>()
    const batcher = calling('guarded', () => store.getStore())
    await store.run('a', () => batcher.submit(1))
    await store.run('b', () => batcher.submit(2))
    expect(reads()).toBe(1)
    const [message] = warnings.map((warning) => warning.message)
    expect(message).toContain('batcher `guarded`')
    expect(message).toContain('store-guard.test.ts')
    expect(message).toContain("adopt(store, { name, batch: 'partition' })")
    const other = calling('guarded too', () => store.getStore())
    await store.run('a', () => other.submit(1))
    expect(reads()).toBe(2)
  })

  it('finds the first frame of the app behind libraries', async () => {
    const store = new AsyncLocalStorage<string>()
    const library = new Script('(read) => read()', {
      filename: '/app/node_modules/orm/index.js',
    }).runInThisContext() as (read: () => unknown) => unknown
    const batcher = calling('library', () => library(() => store.getStore()))
    await store.run('a', () => batcher.submit(1))
    expect(warnings[0]?.message).toContain('store-guard.test.ts')
    expect(warnings[0]?.message).not.toContain('node_modules')
  })

  it.each([
    ['after an await', async (read: () => unknown) => [await Promise.resolve(), read()]],
    ['in a timer', (read: () => unknown) => new Promise((done) => setTimeout(() => done(read())))],
  ])('sees a read %s', async (what, call) => {
    const store = new AsyncLocalStorage<string>()
    const batcher = calling(`sees ${what}`, () => call(() => store.getStore()))
    await store.run('a', () => batcher.submit(1))
    expect(reads()).toBe(1)
  })

  it('sees reads in generators, steps and items that several wait for', async () => {
    const store = new AsyncLocalStorage<string>()
    const generated = createStreamBatcher<number, never>({
      name: 'guarded generator',
      async *run(inputs) {
        store.getStore()
        for (const index of inputs.keys()) yield [index, END]
      },
    })
    await store.run('a', () => Array.fromAsync(generated.stream(1)))
    expect(reads()).toBe(1)
    const stepped = createContinuousBatcher<number, number, never>({
      name: 'guarded steps',
      start: (input) => input,
      step: (active) => {
        store.getStore()
        return active.map(() => ({ done: true }))
      },
    })
    await store.run('a', () => Array.fromAsync(stepped.stream(1)))
    expect(reads()).toBe(2)
    const shared = createBatcher<number, number>({
      name: 'guarded item',
      dedupeBy: String,
      run: (ids, { items }) => {
        for (const item of items) item.run(() => store.getStore())
        return ids
      },
    })
    await Promise.all(['a', 'b'].map((value) => store.run(value, () => shared.submit(1))))
    expect(reads()).toBe(3)
  })

  it('sees reads in detached work and in `onClose`', () => {
    const store = new AsyncLocalStorage<string>()
    store.run('a', () => {
      store.getStore()
      detach(() => store.getStore())
      runRequest({}, (scope) => void scope.onClose(() => void store.getStore()))
    })
    expect(warnings.map(({ message }) => message.slice(0, 24))).toEqual([
      'Work that was started wi',
      'A callback of `onClose` ',
    ])
  })

  it.each<[string, (store: AsyncLocalStorage<string>) => unknown]>([
    ['what the function entered itself', (store) => store.run('mine', () => store.getStore())],
    ['`run` on the way', (store) => store.run('mine', () => {})],
    ['`exit` on the way', (store) => store.exit(() => {})],
    // oxlint-disable-next-line no-restricted-properties
    ['`enterWith` on the way', (store) => store.enterWith('mine')],
    ['neutral ground', (store) => runNeutral(() => store.getStore())],
  ])('leaves alone %s', async (what, read) => {
    const store = new AsyncLocalStorage<string>()
    const batcher = calling(`alone ${what}`, () => read(store))
    await store.run('a', () => batcher.submit(1))
    expect(reads()).toBe(0)
  })

  it('finds a read after `run` has looked into the store', async () => {
    const store = new AsyncLocalStorage<string>()
    const batcher = calling('read after run', () => {
      store.run('mine', () => {})
      return store.getStore()
    })
    await store.run('a', () => batcher.submit(1))
    expect(reads()).toBe(1)
  })

  it('leaves alone a store in which no member has a value', async () => {
    const store = new AsyncLocalStorage<string>()
    const batcher = calling('nobody', () => store.getStore())
    await batcher.submit(1)
    await Promise.all([batcher.submit(1), store.run('a', () => batcher.submit(2))])
    expect(reads()).toBe(1)
  })

  it('leaves alone `item.run`, in which the store has its value', async () => {
    const store = new AsyncLocalStorage<string>()
    const batcher = createBatcher<number, string | undefined>({
      name: 'entered',
      run: (_ids, { items }) => items.map((item) => item.run(() => store.getStore())),
    })
    expect(await store.run('a', () => batcher.submit(1))).toBe('a')
    expect(reads()).toBe(0)
  })

  it.each([
    ['hide', 'hide' as const],
    ['a merge rule', () => undefined],
  ])('leaves alone a store that is adopted with %s: somebody has decided', async (what, batch) => {
    const store = new AsyncLocalStorage<string>()
    adopt(store, { name: `test.guard.${what}`, batch })
    const batcher = calling(`decided ${what}`, () => store.getStore())
    await store.run('a', () => batcher.submit(1))
    expect(reads()).toBe(0)
  })

  it('knows the store behind an object that an app adopts in its place', async () => {
    const inner = new AsyncLocalStorage<string>()
    const wrapper = {
      getStore: () => inner.getStore(),
      run: <R>(value: string, fn: () => R): R => inner.run(value, fn),
    }
    adopt(wrapper, { name: 'test.guard.wrapper', batch: 'hide' })
    const batcher = calling('wrapped', () => [wrapper.getStore(), inner.getStore()])
    await inner.run('a', () => batcher.submit(1))
    expect(reads()).toBe(0)
    adopt(wrapper, { name: 'test.guard.wrapper', batch: 'partition' })
    const reading = createBatcher<number, unknown>({
      name: 'reads wrapped',
      run: (ids) => ids.map(() => inner.getStore()),
    })
    expect(await inner.run('a', () => reading.submit(1))).toBe('a')
    expect(reads()).toBe(0)
  })

  it('says what is wrong with an adopted store that is empty all the same', async () => {
    const differing = new AsyncLocalStorage<string>()
    adopt(differing, { name: 'test.guard.differing', batch: 'same' })
    const readOnly = new AsyncLocalStorage<{ readonly id: string }>()
    adopt(readOnly, { name: 'test.guard.read', batch: 'partition', read: ({ id }) => id })
    const batcher = calling('adopted', () => [differing.getStore(), readOnly.getStore()])
    const as = (value: string): Promise<number> =>
      differing.run(value, () => readOnly.run({ id: 'x' }, () => batcher.submit(1)))
    await Promise.all([as('a'), as('b')])
    expect(reads()).toBe(2)
    expect(warnings[0]?.message).toContain('`test.guard.differing`')
    expect(warnings[0]?.message).toContain("use `batch: 'partition'`")
    expect(warnings[1]?.message).toContain('add `enter`')
  })

  it('compares with the default of a store that has one', async () => {
    const options = { defaultValue: 'public', name: 'with a default' }
    // Node 22 ignores the options.
    const store = new AsyncLocalStorage<string>(options)
    const batcher = calling('default', () => store.getStore())
    await batcher.submit(1)
    expect(reads()).toBe(0)
    await store.run('a', () => batcher.submit(1))
    expect(reads()).toBe(1)
  })

  it('leaves alone what `watchStore` reads, and one store that it is told to', async () => {
    const read = new AsyncLocalStorage<string>()
    const silenced = new AsyncLocalStorage<string>()
    const watched = new AsyncLocalStorage<string>()
    using _read = watchStore({ name: 'a tracer', read: () => read.getStore() })
    using _silenced = watchStore(silenced, { guard: false })
    using _watched = watchStore(watched)
    const batcher = calling('watched', () => [read.getStore(), silenced.getStore()])
    const submit = (): Promise<number> => batcher.submit(1)
    await read.run('a', () => silenced.run('a', () => watched.run('a', submit)))
    expect(reads()).toBe(0)
    const other = calling('watched too', () => watched.getStore())
    await watched.run('a', () => other.submit(1))
    expect(reads()).toBe(1)
  })

  it('knows the requests behind a batch that a batch function submits to', async () => {
    const store = new AsyncLocalStorage<string>()
    const inner = calling('inner', () => store.getStore())
    const middle = calling('middle', () => inner.submit(1))
    const outer = calling('outer', () => middle.submit(1))
    await store.run('a', () => outer.submit(1))
    expect(warnings.map(({ topic }) => topic.split(' ')[0])).toEqual(['inner'])
    const detached = calling('detached', () => store.getStore())
    await store.run('a', () => {
      store.getStore()
      return detach(() => detached.submit(1))
    })
    expect(warnings.map(({ topic }) => topic.split(' ')[0])).toEqual(['inner', 'detached'])
  })

  it('works for whoever opens a batch scope', () => {
    const store = new AsyncLocalStorage<string>()
    const member = store.run('a', () => Snapshot.capture())
    const scope = openBatchScope([member], { name: 'opened#1' })
    scope.run(() => store.getStore())
    scope.close()
    member.release()
    expect(warnings[0]?.message).toContain('batcher `opened#1`')
  })
})

describe('strictStores', () => {
  const attempt = async (options: { readonly strictStores?: boolean }): Promise<unknown> => {
    const store = new AsyncLocalStorage<string>()
    const batcher = createBatcher<number, unknown>({
      name: 'strict',
      run: (ids) => ids.map(() => store.getStore()),
      ...options,
    })
    return store.run('a', () => batcher.submit(1)).catch((error: Error) => error.cause)
  }

  it('lets the read throw, as an option and for all batchers of a test', async () => {
    for (const error of [
      await attempt({ strictStores: true }),
      await (async () => {
        using _ = strictStores()
        return await attempt({})
      })(),
    ]) {
      expect(error).toBeInstanceOf(ContextError)
      expect(error).toMatchObject({ code: 'IN_BATCH' })
    }
    expect(await attempt({})).toBeUndefined()
  })

  it('throws at every read, where a warning is given once', async () => {
    const store = new AsyncLocalStorage<string>()
    const caught: unknown[] = []
    const batcher = createBatcher<number, number>({
      name: 'strict reads',
      strictStores: true,
      run: (ids) => {
        for (let n = 0; n < 2; n += 1) {
          try {
            store.getStore()
          } catch (error) {
            caught.push(error instanceof ContextError && error.code)
          }
        }
        return ids
      },
    })
    await store.run('a', () => batcher.submit(1))
    await store.run('a', () => batcher.submit(2))
    expect(caught).toEqual(['IN_BATCH', 'IN_BATCH', 'IN_BATCH', 'IN_BATCH'])
  })

  it('holds for steps', async () => {
    const store = new AsyncLocalStorage<string>()
    const batcher = createContinuousBatcher<number, number, unknown>({
      name: 'strict steps',
      strictStores: true,
      start: (input) => input,
      step: (active) => active.map(() => ({ chunk: store.getStore(), done: true })),
    })
    const read = store.run('a', () => Array.fromAsync(batcher.stream(1)))
    expect(await read.catch((error: Error) => error.cause)).toMatchObject({ code: 'IN_BATCH' })
  })
})
