/** What `dataloader` remembers, from the original and from ours. */
import { crank } from '@heddle/core/testing'
import { describe, expect, it } from 'vitest'

import { turn } from '../../support/crank.ts'
import { both, echoing, errorOf, isSettled, type LoaderClass, original } from './both.ts'

/** A map that notes what is called. */
function watchedMap<C, V>(): { readonly map: Map<C, V>; readonly calls: unknown[][] } {
  const calls: unknown[][] = []
  class WatchedMap extends Map<C, V> {
    override get(key: C): V | undefined {
      calls.push(['get', key])
      return super.get(key)
    }
    override set(key: C, value: V): this {
      calls.push(['set', key])
      return super.set(key, value)
    }
    override delete(key: C): boolean {
      calls.push(['delete', key])
      return super.delete(key)
    }
    override clear(): void {
      calls.push(['clear'])
      super.clear()
    }
  }
  return { map: new WatchedMap(), calls }
}

describe.each(both)('%s', (_name, Class) => {
  it('loads a key once, within a task and after it', async () => {
    const batches: (readonly string[])[] = []
    const loader = new Class<string, object>(async (keys) => {
      batches.push(keys)
      return keys.map((key) => ({ key }))
    })
    const [first, second] = await Promise.all([loader.load('a'), loader.load('a')])
    expect(first).toBe(second)
    expect(await loader.load('a')).toBe(first)
    expect(batches).toEqual([['a']])
  })

  it.each([{ cache: false }, { cacheMap: null }])('remembers nothing with %j', async (options) => {
    const { loader, batches } = echoing<number>(Class, options)
    expect(await loader.loadMany([1, 1, 2])).toEqual([1, 1, 2])
    expect(await loader.prime(3, 4).clear(3).clearAll().load(3)).toBe(3)
    expect(batches).toEqual([[1, 1, 2], [3]])
  })

  it('forgets one key, or all', async () => {
    const { loader, batches } = echoing<number>(Class)
    await loader.loadMany([1, 2, 3])
    await loader.clear(1).clear(4).loadMany([1, 2, 3])
    await loader.clearAll().loadMany([1, 2, 3])
    expect(batches).toEqual([[1, 2, 3], [1], [1, 2, 3]])
  })

  it('remembers what it is primed with, unless there is something already', async () => {
    const { loader, batches } = echoing<number>(Class)
    loader.prime(1, 10).prime(1, 11).prime(2, Promise.resolve(20))
    expect(await loader.loadMany([1, 2, 3])).toEqual([10, 20, 3])
    loader.prime(3, 30).clear(1).prime(1, 12)
    expect(await loader.loadMany([1, 3])).toEqual([12, 3])
    expect(batches).toEqual([[3]])
  })

  it('may be primed with an error, which nobody has to look at', async () => {
    const { loader, batches } = echoing<number>(Class)
    const error = new Error('not there')
    loader.prime(1, error)
    await turn()
    expect(await errorOf(loader.load(1))).toBe(error)
    expect(await loader.clear(1).load(1)).toBe(1)
    expect(batches).toEqual([[1]])
  })

  describe('a key that is remembered', () => {
    /** A loader that remembers 0, and whose later batches are ended by hand. */
    async function turned(): Promise<{
      readonly loader: InstanceType<LoaderClass>
      readonly calls: ReturnType<typeof crank<unknown>>['calls']
    }> {
      const { run, calls } = crank<unknown>()
      const loader = new Class<unknown, unknown>((keys) => run(keys, undefined!))
      loader.prime(0, 'zero')
      return { loader, calls }
    }

    it.each([
      ['before', [0, 1]],
      ['after', [1, 0]],
    ])('comes with the batch of its task, asked for %s it', async (_case, keys) => {
      const { loader, calls } = await turned()
      const [first, second] = keys.map((key) => loader.load(key))
      expect(await isSettled(Promise.race([first, second]))).toBe(false)
      expect(calls.map(({ inputs }) => inputs)).toEqual([[1]])
      calls[0]?.finish(['one'])
      expect(await Promise.all([first, second])).toEqual(
        keys.map((key) => (key === 0 ? 'zero' : 'one')),
      )
    })

    it('comes at once when nothing else is asked for, also while a batch runs', async () => {
      const { loader, calls } = await turned()
      expect(await loader.load(0)).toBe('zero')
      const running = loader.load(1)
      await turn()
      expect(await loader.load(0)).toBe('zero')
      calls[0]?.finish(['one'])
      expect(await running).toBe('one')
      expect(calls).toHaveLength(1)
    })

    it('comes when the batch of its task fails', async () => {
      const { loader, calls } = await turned()
      const failing = errorOf(loader.load(1))
      const remembered = loader.load(0)
      await turn()
      calls[0]?.fail(new Error('down'))
      expect(await remembered).toBe('zero')
      expect(await failing).toBeInstanceOf(Error)
    })

    it('goes on together with those that are loaded, so that the next step is one batch', async () => {
      const people = echoing<number>(Class)
      const towns = echoing<number>(Class)
      await people.loader.load(1)
      const townOf = async (id: number): Promise<number> =>
        towns.loader.load(await people.loader.load(id))
      expect(await Promise.all([townOf(1), townOf(2)])).toEqual([1, 2])
      expect(people.batches).toEqual([[1], [2]])
      expect(towns.batches.map((keys) => new Set(keys))).toEqual([new Set([1, 2])])
    })

    it('waits for its value if that is being loaded', async () => {
      const { loader, calls } = await turned()
      const first = loader.load(1)
      await turn()
      const second = loader.load(1)
      expect(await isSettled(second)).toBe(false)
      calls[0]?.finish(['one'])
      expect(await Promise.all([first, second])).toEqual(['one', 'one'])
      expect(calls).toHaveLength(1)
    })
  })

  describe('an error', () => {
    it('in the place of a value rejects that key alone, and is remembered', async () => {
      const batches: (readonly number[])[] = []
      const loader = new Class<number, number>(async (keys) => {
        batches.push(keys)
        return keys.map((n) => (n % 2 ? new Error(`odd ${n}`) : n))
      })
      const [odd, even] = [loader.load(1), loader.load(2)]
      const error = await errorOf(odd)
      expect(error).toHaveProperty('message', 'odd 1')
      expect(await even).toBe(2)
      expect(await errorOf(loader.load(1))).toBe(error)
      expect(batches).toEqual([[1, 2]])
      await errorOf(loader.clear(1).load(1))
      expect(batches).toEqual([[1, 2], [1]])
    })

    it('stands among the values of `loadMany`', async () => {
      const loader = new Class<number, number>(async (keys) =>
        keys.map((n) => (n % 2 ? new Error(`odd ${n}`) : n)),
      )
      const [two, three] = await loader.loadMany([2, 3])
      expect(two).toBe(2)
      expect(three).toBeInstanceOf(Error)
      expect(three).toHaveProperty('message', 'odd 3')
    })

    it.each([
      [
        'that is thrown',
        () => {
          throw new Error('down')
        },
      ],
      ['that is rejected', () => Promise.reject(new Error('down'))],
      ['of no promise', () => [1, 2]],
      ['of no value', () => undefined],
      ['of no array', () => Promise.resolve('ab')],
      ['of null', () => Promise.resolve(null)],
      ['of too few values', () => Promise.resolve([1])],
      ['of too many values', () => Promise.resolve([1, 2, 3])],
    ])('%s fails the whole batch, which is not remembered', async (_case, fails) => {
      const batches: (readonly number[])[] = []
      const loader = new Class<number, number>((keys) => {
        batches.push(keys)
        if (batches.length === 1) return (fails as () => Promise<number[]>)()
        return Promise.resolve(keys.map((n) => n * 10))
      })
      const results = await loader.loadMany([1, 2])
      expect(results.every((result) => result instanceof Error)).toBe(true)
      expect(await loader.loadMany([1, 2])).toEqual([10, 20])
      expect(batches).toEqual([
        [1, 2],
        [1, 2],
      ])
    })
  })

  describe('with a `cacheKeyFn`', () => {
    interface Id {
      readonly id: number
    }
    const byId = { cacheKeyFn: ({ id }: Id): number => id }

    it('takes keys for equal that have the same one', async () => {
      const { loader, batches } = echoing<Id, number>(Class, byId)
      const [first, second] = await Promise.all([loader.load({ id: 1 }), loader.load({ id: 1 })])
      expect(first).toBe(second)
      expect(await loader.clear({ id: 1 }).load({ id: 1 })).not.toBe(first)
      expect(batches).toEqual([[{ id: 1 }], [{ id: 1 }]])
    })

    it('is primed by it', async () => {
      const { loader, batches } = echoing<Id, number>(Class, byId)
      expect(await loader.prime({ id: 1 }, { id: 7 }).load({ id: 1 })).toEqual({ id: 7 })
      expect(batches).toEqual([])
    })

    it('compares objects by identity without one', async () => {
      const { loader, batches } = echoing<Id>(Class)
      const key = { id: 1 }
      await loader.loadMany([key, key, { id: 1 }])
      expect(batches).toEqual([[key, { id: 1 }]])
    })
  })

  it('uses the methods of a `cacheMap`', async () => {
    const { map, calls } = watchedMap<string, Promise<string>>()
    const { loader, batches } = echoing<string>(Class, { cacheMap: map })
    await loader.loadMany(['a', 'a'])
    expect([...map.keys()]).toEqual(['a'])
    loader.clear('a').prime('b', 'B').clearAll()
    expect(calls).toEqual([
      ['get', 'a'],
      ['set', 'a'],
      // What it keeps may be another object.
      ...(Class === original ? [] : [['get', 'a']]),
      ['get', 'a'],
      ['delete', 'a'],
      ['get', 'b'],
      ['set', 'b'],
      ['clear'],
    ])
    expect(batches).toEqual([['a']])
  })
})
