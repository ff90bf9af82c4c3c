/** What the methods of a loader do in a batch function: they act on the caches of the requests in the batch. */
import { createKey, detach, run as runWith, runNeutral, runRequest } from '@heddle/context'
import { createBatcher, createContinuousBatcher, createStreamBatcher, END } from '@heddle/core'
import { DataLoader } from '@heddle/core/dataloader'
import { crank } from '@heddle/core/testing'
import { describe, expect, it } from 'vitest'

import { ended, turn } from '../../support/crank.ts'
import { echoing, errorOf, type Loader, type LoaderClass, original, ours } from './both.ts'

interface User {
  readonly id: number
  readonly name: string
}

/** What code that was written for `dataloader` does in batch functions, and the calls or values it gets. */
const patterns: [what: string, pattern: (Class: LoaderClass) => Promise<unknown>][] = [
  [
    'primes another loader with what it has loaded',
    async (Class) => {
      const calls: unknown[] = []
      const byId: Loader<number, User> = new Class<number, User>(async (ids) => {
        calls.push(['id', ...ids])
        const users = ids.map((id) => ({ id, name: `n${id}` }))
        for (const user of users) byName.prime(user.name, user)
        return users
      })
      const byName: Loader<string, User> = new Class<string, User>(async (names) => {
        calls.push(['name', ...names])
        await Promise.resolve()
        const users = names.map((name) => ({ id: Number(name.slice(1)), name }))
        for (const user of users) byId.prime(user.id, user)
        return users
      })
      const [ada] = await Promise.all([byId.load(1), byId.load(2)])
      const [again] = await Promise.all([byName.load('n1'), byName.load('n2')])
      await byName.load('n3')
      await byId.load(3)
      return [calls, ada === again]
    },
  ],
  [
    'primes itself with keys that nobody has asked for',
    async (Class) => {
      const calls: unknown[] = []
      const loader: Loader<number, number> = new Class<number, number>(async (keys) => {
        calls.push([...keys])
        await turn()
        for (const key of keys) loader.prime(key + 1, key + 1).prime(key, -1)
        return keys
      })
      return [await loader.load(1), await loader.load(2), await loader.load(1), calls]
    },
  ],
  [
    'is primed with an error',
    async (Class) => {
      const other = echoing<number>(Class)
      const error = new Error('not there')
      const loader = new Class<number, number>(async (keys) => {
        other.loader.prime(1, error)
        return keys
      })
      await loader.load(1)
      return [(await errorOf(other.loader.load(1))) === error, other.batches]
    },
  ],
  [
    'forgets everything, so that nothing is remembered',
    async (Class) => {
      let version = 0
      const loader: Loader<string, string> = new Class<string, string>(async (keys) => {
        loader.clearAll()
        version += 1
        return keys.map((key) => `${key}@${version}`)
      })
      return [await loader.load('a'), await loader.load('a')]
    },
  ],
  [
    'forgets a key that failed, after an await',
    async (Class) => {
      let calls = 0
      const loader: Loader<number, string> = new Class<number, string>(async (keys) => {
        calls += 1
        const isFirst = calls === 1
        await turn()
        return keys.map((key) => {
          if (!isFirst) return 'fine'
          loader.clear(key)
          return new Error('transient')
        })
      })
      return [await ended(loader.load(1)), await ended(loader.load(1)), calls]
    },
  ],
  [
    'forgets and replaces what another loader has',
    async (Class) => {
      const other = echoing<number>(Class)
      const loader = new Class<number, number>(async (keys) => {
        for (const key of keys) other.loader.clear(key).prime(key, key * 10)
        return keys
      })
      await other.loader.loadMany([1, 2])
      await loader.load(1)
      return [await other.loader.loadMany([1, 2]), other.batches]
    },
  ],
  [
    'loads what is remembered, and is remembered',
    async (Class) => {
      const teams = echoing<number>(Class)
      const users = new Class<number, number>((keys) =>
        Promise.all(keys.map((key) => teams.loader.load(key % 2))),
      )
      await teams.loader.load(0)
      await users.loadMany([1, 2, 3])
      await users.load(4)
      await users.load(5)
      return [await teams.loader.load(1), teams.batches]
    },
  ],
  [
    'loads with a loader whose batch function does so, too',
    async (Class) => {
      const calls: unknown[] = []
      const inner: Loader<number, number> = new Class<number, number>(async (keys) => {
        calls.push(['inner', ...keys])
        for (const key of keys) outer.prime(key + 100, key)
        return keys
      })
      const middle = new Class<number, number>((keys) => {
        calls.push(['middle', ...keys])
        return Promise.all(keys.map((key) => inner.load(key)))
      })
      const outer: Loader<number, number> = new Class<number, number>((keys) => {
        calls.push(['outer', ...keys])
        return Promise.all(keys.map((key) => middle.load(key)))
      })
      await outer.loadMany([1, 2])
      return [await outer.load(101), await middle.load(2), await inner.load(1), calls]
    },
  ],
  [
    'loads what fails: a key’s own error is remembered, that of a batch is not',
    async (Class) => {
      let calls = 0
      const inner = new Class<number, number>((keys) => {
        calls += 1
        if (calls === 1) return Promise.reject(new Error('down'))
        return Promise.resolve(keys.map((key) => (key === 2 ? new Error(`no ${key}`) : key)))
      })
      const outer = new Class<number, number>(async (keys) => {
        await inner.loadMany(keys)
        return keys
      })
      await outer.load(1)
      const afterFailure = await inner.load(1)
      await outer.load(2)
      return [afterFailure, await ended(inner.load(2)), calls]
    },
  ],
]

describe.each(patterns)('a batch function that %s', (_what, pattern) => {
  it.each([
    ['outside any request', (fn: () => Promise<unknown>) => fn()],
    ['in a request', (fn: () => Promise<unknown>) => runRequest({}, fn)],
    ['in a child scope', (fn: () => Promise<unknown>) => runRequest({}, () => runWith([], fn))],
  ])('does as with dataloader, %s', async (_where, enter) => {
    expect(await enter(() => pattern(ours))).toEqual(await pattern(original))
  })
})

/** Loaders of which the first one primes the second, and a function that makes requests meet in one batch. */
function primers() {
  const other = echoing<number>(ours)
  const loader = new DataLoader<number, number>(async (keys) => {
    await turn()
    for (const key of keys) other.loader.prime(key, key * 10)
    return keys
  })
  return { loader, other }
}

/** Requests that have all loaded their keys in one batch, before any of them goes on with `then`. */
function together<R>(
  load: (key: number) => Promise<unknown>,
  count: number,
  then: (key: number) => R,
): Promise<Awaited<R>[]> {
  const requests = Array.from({ length: count }, (_, key) =>
    runRequest({}, async () => {
      await load(key)
      return await then(key)
    }),
  )
  return Promise.all(requests)
}

describe('in a batch of several requests', () => {
  it('what is primed is remembered by each of them, and by no other', async () => {
    const { loader, other } = primers()
    const values = await together(
      (key) => loader.load(key),
      2,
      () => other.loader.loadMany([0, 1]),
    )
    expect(values).toEqual([
      [0, 10],
      [0, 10],
    ])
    expect(other.batches).toEqual([])
    expect(await runRequest({}, () => other.loader.load(1))).toBe(1)
    expect(await other.loader.load(1)).toBe(1)
  })

  it('members outside any request have the cache of outside', async () => {
    const { loader, other } = primers()
    const inside = runRequest({}, async () => [await loader.load(1), await other.loader.load(2)])
    await Promise.all([inside, loader.load(2)])
    expect(await other.loader.loadMany([1, 2])).toEqual([10, 20])
    expect(other.batches).toEqual([])
  })

  it('what one of them remembers stays its own', async () => {
    const inner = new DataLoader<number, string>(async (keys) => keys.map((key) => `loaded ${key}`))
    const outer = new DataLoader<number, string>(async (keys) => {
      const value = await inner.load(7)
      return keys.map(() => value)
    })
    const request = (own?: string): Promise<readonly string[]> =>
      runRequest({}, async () => {
        if (own) inner.prime(7, own)
        return [await outer.load(1), await inner.load(7)]
      })
    const [ada, bob] = await Promise.all([request('of ada'), request()])
    expect(ada).toEqual(['loaded 7', 'of ada'])
    expect(bob).toEqual(['loaded 7', 'loaded 7'])
  })

  it.each([
    ['at once', (fn: () => Promise<string>) => fn()],
    [
      'in a batch of another batcher',
      async (fn: () => Promise<string>) => {
        const inner = createBatcher<number, string>({
          name: 'inner',
          run: async () => [await fn()],
        })
        return await inner.submit(1)
      },
    ],
  ])('what the only caller remembers reaches nobody who comes later: %s', async (_how, enter) => {
    const values = new DataLoader<number, string>(async (keys) => keys.map(() => 'loaded'))
    const going = Promise.withResolvers<void>()
    const batcher = createBatcher<number, string>({
      name: 'shared',
      dedupeBy: String,
      maxConcurrency: 2,
      run: async () => {
        const value = await enter(() => values.load(1))
        await going.promise
        return [value]
      },
    })
    const ada = runRequest({}, () => {
      values.prime(1, 'of ada')
      return batcher.submit(1)
    })
    await turn()
    const bob = runRequest({}, () => batcher.submit(1))
    await turn()
    going.resolve()
    expect(await Promise.all([ada, bob])).toEqual(['of ada', 'loaded'])
  })

  it('a key is loaded once by the batch, and then remembered by all of them', async () => {
    const teams = echoing<number>(ours)
    const users = new DataLoader<number, number>(async (keys) => {
      for (const _ of keys) await teams.loader.load(7)
      return keys
    })
    await together(
      (key) => users.load(key),
      3,
      async (key) => {
        await teams.loader.load(7)
        await users.load(key + 10)
      },
    )
    expect(teams.batches).toEqual([[7]])
  })

  it('what all of them have from one batch is a hit in the next', async () => {
    const teams = echoing<number>(ours)
    const towns = new DataLoader<number, number>(async (keys) => {
      await teams.loader.load(7)
      return keys
    })
    const users = new DataLoader<number, number>(async (keys) => {
      await teams.loader.load(7)
      return keys
    })
    await together(
      (key) => users.load(key),
      2,
      (key) => towns.load(key),
    )
    expect(teams.batches).toEqual([[7]])
  })

  it('`clear` and `clearAll` forget for all of them, and for no other', async () => {
    const other = echoing<number>(ours)
    const loader = new DataLoader<string, string>(async (keys) => {
      await turn()
      if (keys[0] === 'all') other.loader.clearAll()
      else other.loader.clear(1)
      return keys
    })
    await other.loader.load(1)
    const request = (what: string): Promise<void> =>
      runRequest({}, async () => {
        await other.loader.loadMany([1, 2])
        await loader.load(what)
        await other.loader.loadMany([1, 2])
      })
    await Promise.all([request('one'), request('one')])
    expect(other.batches).toEqual([[1], [1, 2, 1, 2], [1, 1]])
    other.batches.length = 0
    await Promise.all([request('all'), request('all')])
    expect(other.batches).toEqual([
      [1, 2, 1, 2],
      [1, 2, 1, 2],
    ])
    await other.loader.load(1)
    expect(other.batches).toHaveLength(2)
  })

  it('two requests are never given one error object', async () => {
    const error = new Error('not there')
    const primed = echoing<number>(ours)
    const failing = new DataLoader<number, number>(async (keys) => keys.map(() => error))
    const loader = new DataLoader<number, number>(async (keys) => {
      primed.loader.prime(1, error)
      await failing.loadMany([1])
      return keys
    })
    const errors = await together(
      (key) => loader.load(key),
      2,
      async () => [await errorOf(primed.loader.load(1)), await errorOf(failing.load(1))],
    )
    const all = errors.flat()
    expect(new Set(all.filter((one) => one !== error)).size).toBe(3)
    expect(all.every((one) => one === error || (one as Error).cause === error)).toBe(true)
  })

  it('a load that fails with its batch is remembered by none of them', async () => {
    const { run, calls } = crank<number>()
    const inner = new DataLoader<number, number>(run)
    const outer = new DataLoader<number, number>(async (keys) => {
      await inner.loadMany([7])
      return keys
    })
    const all = together(
      (key) => outer.load(key),
      2,
      () => inner.load(7),
    )
    await turn()
    calls[0]?.fail(new Error('down'))
    await turn()
    calls[1]?.finish([7, 7])
    expect(await all).toEqual([7, 7])
    expect(calls.map(({ inputs }) => inputs)).toEqual([[7], [7, 7]])
  })
})

describe('`item.run` in a batch function', () => {
  it('acts on the cache of that member alone, also after an await', async () => {
    const other = echoing<number>(ours)
    const loader = new DataLoader<number, number>(async (keys, batch) => {
      await Promise.all(
        batch.items.map((item, index) =>
          item.run(async () => {
            other.loader.prime(index, 100)
            await turn()
            other.loader.prime(5, index)
            if (index === 0) other.loader.clear(6)
          }),
        ),
      )
      return keys
    })
    const request = (key: number): Promise<unknown> =>
      runRequest({}, async () => {
        other.loader.prime(6, 66)
        await loader.load(key)
        return await other.loader.loadMany([0, 1, 5, 6])
      })
    expect(await Promise.all([request(0), request(1)])).toEqual([
      [100, 1, 0, 6],
      [0, 100, 1, 66],
    ])
  })

  it('acts on the caches of all that wait for a shared item', async () => {
    const other = echoing<number>(ours)
    const batcher = createBatcher<number, number>({
      name: 'shared',
      dedupeBy: String,
      run: async (inputs, batch) => {
        for (const item of batch.items) item.run(() => other.loader.prime(item.input, 100))
        return inputs
      },
    })
    const request = (key: number): Promise<unknown> =>
      runRequest({}, async () => {
        await batcher.submit(key)
        return await other.loader.loadMany([1, 2])
      })
    expect(await Promise.all([request(1), request(1), request(2)])).toEqual([
      [100, 2],
      [100, 2],
      [1, 100],
    ])
  })
})

describe('what is no batch function of requests any more', () => {
  it('reaches no cache: `detach`, another request, neutral ground', async () => {
    const other = echoing<number>(ours)
    const loader = new DataLoader<number, number>(async (keys) => {
      detach(() => other.loader.prime(1, 10))
      runRequest({}, () => other.loader.prime(1, 20))
      runNeutral(() => other.loader.prime(1, 30))
      return keys
    })
    await runRequest({}, async () => {
      await loader.load(0)
      expect(await other.loader.load(1)).toBe(1)
    })
    expect(await other.loader.load(1)).toBe(30)
  })

  it('a scope of its own in the batch function still reaches them', async () => {
    const { loader: other } = echoing<number>(ours)
    const part = createKey<string>('test.dataloader.in-batch.part')
    const loader = new DataLoader<number, number>(async (keys) => {
      await part.run('first', async () => {
        await turn()
        other.prime(1, 10)
      })
      return keys
    })
    await runRequest({}, async () => {
      await loader.load(0)
      expect(await other.load(1)).toBe(10)
    })
  })

  it.each([
    ['a batch function', false],
    ['`item.run` of a shared item', true],
  ])('neither once the batch has settled: %s', async (_what, isShared) => {
    const other = echoing<number>(ours)
    let late = (): void => {}
    const wait = new Promise<void>((resolve) => {
      late = resolve
    })
    let done: Promise<unknown> | undefined
    const afterwards = async (): Promise<void> => {
      await wait
      other.loader.prime(1, 10)
      other.loader.clear(2)
    }
    const batcher = createBatcher<number, number>({
      name: 'late',
      dedupeBy: String,
      run: async (inputs, batch) => {
        done = isShared ? batch.items[0]?.run(afterwards) : afterwards()
        return inputs
      },
    })
    const request = (): Promise<unknown> =>
      runRequest({}, async () => {
        other.loader.prime(2, 20)
        await batcher.submit(1)
        await turn()
        late()
        await done
        return await other.loader.loadMany([1, 2])
      })
    expect(await Promise.all([request(), request()])).toEqual([
      [1, 20],
      [1, 20],
    ])
  })
})

describe('batch functions of other batchers', () => {
  it('use loaders as those of loaders do', async () => {
    const { loader: other, batches } = echoing<number>(ours)
    const batcher = createBatcher<number, number>({
      name: 'other',
      run: async (inputs) => {
        await turn()
        other.prime(1, 10)
        return await Promise.all(inputs.map(() => other.load(2)))
      },
    })
    const values = await together(
      (key) => batcher.submit(key),
      2,
      () => other.loadMany([1, 2]),
    )
    expect(values).toEqual([
      [10, 2],
      [10, 2],
    ])
    expect(batches).toEqual([[2]])
  })

  it('a generator does, and each step of a continuous batch, for those who are active', async () => {
    const { loader: other, batches } = echoing<number>(ours)
    const streams = createStreamBatcher<number, number>({
      name: 'streams',
      async *run(inputs) {
        for (const [index, input] of inputs.entries()) {
          other.prime(input, 10)
          yield [index, input]
          yield [index, END]
        }
      },
    })
    let steps = 0
    const continuous = createContinuousBatcher<number, number, number>({
      name: 'continuous',
      start: (input) => input,
      step: async (active) => {
        other.prime(100 + steps, 10)
        steps += 1
        await turn()
        return active.map(() => ({ done: true }))
      },
    })
    const request = (key: number): Promise<unknown> =>
      runRequest({}, async () => {
        for await (const _ of streams.stream(key)) void _
        for await (const _ of continuous.stream(key)) void _
        return await other.loadMany([key, 100])
      })
    expect(await Promise.all([request(1), request(2)])).toEqual([
      [10, 10],
      [10, 10],
    ])
    expect(batches).toEqual([])
  })

  it('nested, they reach the requests of all of them', async () => {
    const deepest = echoing<number>(ours)
    const inner = createBatcher<number, number>({
      name: 'inner',
      run: async (inputs) => {
        deepest.loader.prime(1, 10)
        return inputs
      },
    })
    const outer = new DataLoader<number, number>(async (keys) => {
      await inner.submit(0)
      return keys
    })
    await together(
      (key) => outer.load(key),
      2,
      async () => expect(await deepest.loader.load(1)).toBe(10),
    )
    expect(deepest.batches).toEqual([])
  })
})
