/** What `dataloader` does with batches, from the original and from ours. */
import { crank } from '@heddle/core/testing'
import { describe, expect, it } from 'vitest'

import { ended, turn } from '../../support/crank.ts'
import { both, echoing, isSettled, type Loader } from './both.ts'

describe.each(both)('%s', (_name, Class) => {
  it('loads the keys of one task in one batch, in their order', async () => {
    const { loader, batches } = echoing<number>(Class)
    expect(await Promise.all([loader.load(3), loader.load(1), loader.load(2)])).toEqual([3, 1, 2])
    expect(batches).toEqual([[3, 1, 2]])
  })

  it('takes keys along that promise jobs of the same task ask for', async () => {
    const { loader, batches } = echoing<number>(Class)
    const nested = Promise.resolve()
      .then(() => Promise.resolve())
      .then(() => loader.load(2))
    expect(await Promise.all([loader.load(1), nested])).toEqual([1, 2])
    expect(batches).toEqual([[1, 2]])
  })

  it('loads the keys of two tasks in two batches', async () => {
    const { loader, batches } = echoing<number>(Class)
    const first = loader.load(1)
    await turn()
    expect(await Promise.all([first, loader.load(2)])).toEqual([1, 2])
    expect(batches).toEqual([[1], [2]])
  })

  it('puts no more than `maxBatchSize` keys into a batch, and starts the next at once', async () => {
    const { run, calls } = crank<number>()
    const loader = new Class<number, number>((keys) => run(keys, undefined!), { maxBatchSize: 2 })
    const all = loader.loadMany([1, 2, 3, 4, 5])
    await turn()
    expect(calls.map(({ inputs }) => inputs)).toEqual([[1, 2], [3, 4], [5]])
    for (const call of calls) call.finish(call.inputs)
    expect(await all).toEqual([1, 2, 3, 4, 5])
  })

  it('rounds a `maxBatchSize` up', async () => {
    const { loader, batches } = echoing<number>(Class, { maxBatchSize: 1.5 })
    await loader.loadMany([1, 2, 3])
    expect(batches).toEqual([[1, 2], [3]])
  })

  it.each([{ batch: false }, { batch: false, maxBatchSize: 9 }, { maxBatchSize: 1 }])(
    'loads each key alone with %j',
    async (options) => {
      const { loader, batches } = echoing<number>(Class, options)
      expect(await loader.loadMany([1, 2, 1])).toEqual([1, 2, 1])
      expect(batches).toEqual([[1], [2]])
    },
  )

  it('counts only keys that are not remembered', async () => {
    const { loader, batches } = echoing<number>(Class, { maxBatchSize: 2 })
    await loader.load(0)
    expect(await loader.loadMany([0, 1, 0, 2, 0])).toEqual([0, 1, 0, 2, 0])
    expect(batches).toEqual([[0], [1, 2]])
  })

  it('is `this` in every function that it is given', async () => {
    const those: unknown[] = []
    const note = (that: unknown): void => void those.push(that)
    const loader = new Class<number, number>(
      // Arrow functions have no `this` of their own.
      async function load(this: unknown, keys) {
        note(this)
        return keys
      },
      {
        batchScheduleFn(this: unknown, callback) {
          note(this)
          queueMicrotask(callback)
        },
        cacheKeyFn(this: unknown, key: number) {
          note(this)
          return key
        },
      },
    )
    await loader.load(1)
    expect(new Set(those)).toEqual(new Set([loader]))
    expect(those).toHaveLength(3)
  })

  it('may load from its own batch function', async () => {
    const batches: (readonly number[])[] = []
    const loader: Loader<number, number> = new Class<number, number>(async (keys) => {
      batches.push(keys)
      return Promise.all(keys.map(async (n) => (n === 0 ? 0 : 1 + (await loader.load(n - 1)))))
    })
    expect(await loader.load(3)).toBe(3)
    expect(batches).toEqual([[3], [2], [1], [0]])
  })

  it('joins what goes on after one batch in the next', async () => {
    const ids = echoing<number>(Class)
    const rows = echoing<number>(Class)
    const row = async (id: number): Promise<number> => rows.loader.load(await ids.loader.load(id))
    expect(await Promise.all([row(1), row(2)])).toEqual([1, 2])
    expect(rows.batches).toEqual([[1, 2]])
  })

  it.each([
    ['none is remembered', () => false],
    ['every third key is remembered', (key: number) => key % 3 === 0],
    ['all but one are', (key: number) => key !== 50],
  ])('makes 3 batches of a chain of 3 loads over 100 roots: %s', async (_what, isRemembered) => {
    const levels = [0, 1, 2].map(() => echoing<number>(Class))
    const roots = Array.from({ length: 100 }, (_, key) => key)
    for (const { loader } of levels) {
      for (const key of roots) if (isRemembered(key)) loader.prime(key, key)
    }
    const chain = async (root: number): Promise<number> => {
      let key = root
      for (const { loader } of levels) key = await loader.load(key)
      return key
    }
    expect(await Promise.all(roots.map(chain))).toEqual(roots)
    const missing = roots.filter((key) => !isRemembered(key))
    for (const { batches } of levels) {
      expect(batches).toHaveLength(1)
      expect(batches[0]?.toSorted((a, b) => a - b)).toEqual(missing)
    }
  })

  it('makes 3 batches of a chain of 3 loads over 100 roots with one loader', async () => {
    const { loader, batches } = echoing<number>(Class)
    const roots = Array.from({ length: 100 }, (_, key) => key)
    const chain = async (root: number): Promise<number> =>
      loader.load((await loader.load((await loader.load(root)) + 100)) + 100)
    await Promise.all(roots.map(chain))
    expect(batches.map((keys) => keys.length)).toEqual([100, 100, 100])
  })

  it('takes values from whatever is like an array, and from any thenable', async () => {
    const arrayLike = new Class<number, string>(async () => ({ length: 2, 0: 'a', 1: 'b' }))
    expect(await arrayLike.loadMany([1, 2])).toEqual(['a', 'b'])
    const thenable = new Class<number, string>((keys) => ({
      // oxlint-disable-next-line unicorn/no-thenable
      then: (resolve) => Promise.resolve(keys.map(String)).then(resolve),
    }))
    expect(await thenable.loadMany([1, 2])).toEqual(['1', '2'])
  })

  it('takes many keys from whatever is like an array', async () => {
    const { loader, batches } = echoing<number>(Class)
    expect(await loader.loadMany({ length: 2, 0: 7, 1: 8 })).toEqual([7, 8])
    expect(await loader.loadMany([])).toEqual([])
    expect(batches).toEqual([[7, 8]])
  })

  it('takes keys that are falsy', async () => {
    const { loader, batches } = echoing<unknown>(Class)
    expect(await loader.loadMany([0, '', false])).toEqual([0, '', false])
    expect(batches).toEqual([[0, '', false]])
  })

  describe('with a `batchScheduleFn`', () => {
    it('loads when it calls back, everything that was asked for until then', async () => {
      const callbacks: (() => void)[] = []
      const { loader, batches } = echoing<number>(Class, {
        batchScheduleFn: (callback) => callbacks.push(callback),
      })
      const first = loader.load(1)
      await turn()
      const second = loader.load(2)
      expect(await isSettled(Promise.race([first, second]))).toBe(false)
      expect(callbacks).toHaveLength(1)
      callbacks[0]?.()
      expect(batches).toEqual([[1, 2]])
      expect(await Promise.all([first, second])).toEqual([1, 2])
    })

    it('asks again for what comes after', async () => {
      const callbacks: (() => void)[] = []
      const { loader, batches } = echoing<number>(Class, {
        batchScheduleFn: (callback) => callbacks.push(callback),
      })
      const first = loader.load(1)
      callbacks[0]?.()
      const second = loader.load(2)
      expect(await first).toBe(1)
      expect(await isSettled(second)).toBe(false)
      expect(callbacks).toHaveLength(2)
      callbacks[1]?.()
      expect(await second).toBe(2)
      expect(batches).toEqual([[1], [2]])
    })

    it('gives what is remembered when it calls back', async () => {
      const callbacks: (() => void)[] = []
      const { loader, batches } = echoing<number>(Class, {
        batchScheduleFn: (callback) => callbacks.push(callback),
      })
      loader.prime(1, 10)
      const remembered = loader.load(1)
      expect(await isSettled(remembered)).toBe(false)
      callbacks[0]?.()
      expect(await remembered).toBe(10)
      expect(batches).toEqual([])
    })
  })

  it.each([
    ['no function', [undefined]],
    ['an object for a function', [{}]],
    ['maxBatchSize 0', [async () => [], { maxBatchSize: 0 }]],
    ['maxBatchSize -1', [async () => [], { maxBatchSize: -1 }]],
    ['maxBatchSize null', [async () => [], { maxBatchSize: null }]],
    ["maxBatchSize '2'", [async () => [], { maxBatchSize: '2' }]],
    ['batchScheduleFn null', [async () => [], { batchScheduleFn: null }]],
    ['cacheKeyFn 1', [async () => [], { cacheKeyFn: 1 }]],
    ['an empty cacheMap', [async () => [], { cacheMap: {} }]],
    ['a cacheMap that lacks a method', [async () => [], { cacheMap: { get() {}, set() {} } }]],
  ])('is not made with %s: TypeError', (_case, args) => {
    const make = (): unknown => Reflect.construct(Class, args)
    expect(make).toThrow(TypeError)
  })

  it.each([null, undefined])('throws a TypeError at once for the key %s', async (key) => {
    const { loader } = echoing<unknown>(Class)
    expect(() => loader.load(key)).toThrow(TypeError)
    expect(() => loader.loadMany([key])).toThrow(TypeError)
    expect(await ended(loader.load(1))).toBe(1)
  })

  it.each([[undefined], [null], [1], [{}], [{ length: 2 }], ['text']])(
    'throws a TypeError at once for the keys %j',
    (keys) => {
      const { loader } = echoing<unknown>(Class)
      expect(() => loader.loadMany(keys as unknown as unknown[])).toThrow(TypeError)
    },
  )

  it('has the name it was given, or null', () => {
    const nameOf = (name?: string | null): unknown => echoing(Class, { name: name! }).loader.name
    expect(nameOf('users')).toBe('users')
    expect([nameOf(), nameOf(null), nameOf('')]).toEqual([null, null, null])
    expect(new Class(async () => []).name).toBe(null)
  })
})
