/** Where ours differs from `dataloader`: each difference is asserted of both. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { createKey, runRequest } from '@heddle/context'
import { DataLoader } from '@heddle/core/dataloader'
import { describe, expect, it } from 'vitest'

import { ended, turn } from '../../support/crank.ts'
import { echoing, errorOf, isSettled, type LoaderClass, original, ours } from './both.ts'

const down = new Error('down')
const role = createKey<string>('test.dataloader.differences.role', { batch: 'same' })

function failing(Class: LoaderClass, fail: () => unknown): InstanceType<LoaderClass> {
  return new Class<number, number>(fail as () => Promise<number[]>)
}

interface Difference {
  readonly what: string
  readonly observe: (Class: LoaderClass) => unknown
  readonly original: unknown
  readonly ours: unknown
}

const differences: Difference[] = [
  {
    what: 'callers of a batch that was rejected share its error; ours have one each, with the cause',
    observe: async (Class) => {
      const loader = failing(Class, () => Promise.reject(down))
      const [first, second] = await Promise.all([errorOf(loader.load(1)), errorOf(loader.load(2))])
      const { code, cause } = first as { code?: unknown; cause?: unknown }
      return { isSame: first === second, isCause: first === down, code, cause }
    },
    original: { isSame: true, isCause: true, code: undefined, cause: undefined },
    ours: { isSame: false, isCause: false, code: 'BATCH_FAILED', cause: down },
  },
  {
    what: 'what a batch function throws at once becomes text in a TypeError; ours keeps it as the cause',
    observe: async (Class) => {
      const loader = failing(Class, () => {
        throw down
      })
      const { name, cause } = (await errorOf(loader.load(1))) as Error
      return { name, cause }
    },
    original: { name: 'TypeError', cause: undefined },
    ours: { name: 'BatcherError', cause: down },
  },
  {
    what: 'texts of messages are their own; ours say what was expected, and what was there',
    observe: async (Class) => {
      const misuse: (() => unknown)[] = [
        () => Reflect.construct(Class, []),
        () => Reflect.construct(Class, [async () => [], { maxBatchSize: 0 }]),
        () => Reflect.construct(Class, [async () => [], { cacheMap: {} }]),
        () => Reflect.construct(Class, [async () => [], { cacheKeyFn: null }]),
        () => Reflect.construct(Class, [async () => [], { batchScheduleFn: null }]),
        () => echoing<unknown>(Class).loader.load(null),
        () => echoing<unknown>(Class).loader.loadMany(7 as never),
        () => failing(Class, () => 7).load(1),
        () => failing(Class, async () => null).load(1),
      ]
      const texts = await Promise.all(misuse.map((make) => ended((async () => make())())))
      const expected = texts.filter((text) => String(text).startsWith('Expected ')).length
      return { misuse: texts.length, expected }
    },
    original: { misuse: 9, expected: 0 },
    // The last two are told with codes.
    ours: { misuse: 9, expected: 7 },
  },
  {
    what: 'a request that changes a `same` key is answered as before; ours loads for the new value',
    observe: async (Class) => {
      const { loader, batches } = echoing<number>(Class)
      await runRequest({}, async () => {
        await role.run('guest', () => loader.load(1))
        await role.run('admin', () => loader.load(1))
        await role.run('guest', () => loader.load(1))
      })
      return batches
    },
    original: [[1]],
    ours: [[1], [1]],
  },
  {
    what: 'wrong results are a TypeError; ours are a BatcherError with a code',
    observe: async (Class) => [
      await ended(failing(Class, async () => []).load(1)).then(codeOnly),
      await ended(failing(Class, async () => 'text').load(1)).then(codeOnly),
      await ended(failing(Class, () => []).load(1)).then(codeOnly),
    ],
    original: ['no code', 'no code', 'no code'],
    ours: ['RESULT_MISMATCH', 'RESULT_MISMATCH', 'BATCH_FAILED'],
  },
  {
    what: 'one Error in two places reaches two callers; ours gives the second one of its own',
    observe: async (Class) => {
      const error = new Error('both')
      const loader = failing(Class, async () => [error, error])
      const [first, second] = (await loader.loadMany([1, 2])) as Error[]
      return [first === error, second === error, first === error && second?.cause === error]
    },
    original: [true, true, false],
    ours: [true, false, true],
  },
  {
    what: 'the batch function gets the keys alone; ours gets the batch besides',
    observe: async (Class) => {
      const counts: number[] = []
      const loader = failing(Class, (...args: unknown[]) => {
        counts.push(args.length)
        return Promise.resolve(args[0])
      })
      await loader.load(1)
      return counts
    },
    original: [1],
    ours: [2],
  },
  {
    what: 'the batch function and the schedule run as the first caller; ours as none',
    observe: async (Class) => {
      const user = new AsyncLocalStorage<string>()
      const seen: (string | undefined)[] = []
      const loader = new Class<number, number>(
        async (keys) => {
          seen.push(user.getStore())
          return keys
        },
        {
          batchScheduleFn: (callback) => {
            seen.push(user.getStore())
            queueMicrotask(callback)
          },
        },
      )
      await Promise.all(['ada', 'bob'].map((name, n) => user.run(name, () => loader.load(n))))
      return seen
    },
    original: ['ada', 'ada'],
    ours: [undefined, undefined],
  },
  {
    what: 'a loader of all requests gives one what another has loaded; ours loads for each request',
    observe: async (Class) => {
      const { loader, batches } = echoing<number>(Class)
      await runRequest({}, () => loader.load(1))
      await runRequest({}, () => loader.load(1))
      return batches
    },
    original: [[1]],
    ours: [[1], [1]],
  },
  {
    what: 'every full batch asks the schedule; ours asks once for all that waits',
    observe: async (Class) => {
      const callbacks: (() => void)[] = []
      const { loader, batches } = echoing<number>(Class, {
        maxBatchSize: 2,
        batchScheduleFn: (callback) => callbacks.push(callback),
      })
      const all = loader.loadMany([1, 2, 3])
      callbacks[0]?.()
      const byTheFirst = [...batches]
      callbacks[1]?.()
      return { asked: callbacks.length, byTheFirst, values: await all }
    },
    original: { asked: 2, byTheFirst: [[1, 2]], values: [1, 2, 3] },
    ours: { asked: 1, byTheFirst: [[1, 2], [3]], values: [1, 2, 3] },
  },
  {
    what: 'a schedule that calls back twice loads twice; ours once',
    observe: async (Class) => {
      const { loader, batches } = echoing<number>(Class, {
        batchScheduleFn: (callback) => {
          queueMicrotask(callback)
          queueMicrotask(callback)
        },
      })
      await loader.load(1)
      return batches
    },
    original: [[1], [1]],
    ours: [[1]],
  },
  {
    what: 'a schedule that calls back at once leaves the key waiting for ever; ours loads it',
    observe: async (Class) => {
      const { loader, batches } = echoing<number>(Class, {
        batchScheduleFn: (callback) => callback(),
      })
      const first = loader.load(1)
      const atOnce = batches.length
      return { atOnce, isSettled: await isSettled(first), batches }
    },
    original: { atOnce: 0, isSettled: false, batches: [] },
    ours: { atOnce: 0, isSettled: true, batches: [[1]] },
  },
  {
    what: 'a schedule that throws fails the first load and leaves others waiting; ours loads them',
    observe: async (Class) => {
      const { loader } = echoing<number>(Class, {
        batchScheduleFn: () => {
          throw down
        },
      })
      const settled = [1, 2].map((key) => {
        try {
          return isSettled(loader.load(key))
        } catch (error) {
          return error
        }
      })
      return Promise.all(settled)
    },
    original: [down, false],
    ours: [true, true],
  },
  {
    what: 'a `cacheMap` is a map; ours may be a function that makes one',
    observe: (Class) => {
      const cacheMap = (() => new Map()) as unknown as Map<unknown, Promise<unknown>>
      return ended((async () => echoing(Class, { cacheMap }).loader.load(1))()).then((result) =>
        result === 1 ? 'loads' : 'throws',
      )
    },
    original: 'throws',
    ours: 'loads',
  },
  {
    what: 'a `maxBatchSize` of NaN is taken for 1; ours refuses it',
    observe: (Class) => {
      const make = (): unknown => echoing(Class, { maxBatchSize: Number.NaN })
      return ended((async () => make())()).then((result) => typeof result)
    },
    original: 'object',
    ours: 'string',
  },
]

/** What `ended` gives, without messages. */
function codeOnly(result: unknown): unknown {
  return /^[A-Z_]+$/.test(String(result)) ? result : 'no code'
}

describe.each(differences)('$what', ({ observe, ...expected }) => {
  it('in dataloader', async () => {
    expect(await observe(original)).toEqual(expected.original)
  })

  it('in @heddle/core/dataloader', async () => {
    expect(await observe(ours)).toEqual(expected.ours)
  })
})

describe('without `process.nextTick`, as in a browser', () => {
  /** What a program prints that loads two keys, or how it fails. */
  async function without(module: string): Promise<unknown> {
    const program = join(import.meta.dirname, 'without-next-tick.ts')
    try {
      return (await promisify(execFile)(process.execPath, [program, module])).stdout
    } catch {
      return 'fails'
    }
  }

  it('dataloader loads; ours does not: it is for Node, Bun and Deno', async () => {
    expect(await without('dataloader')).toBe('1,2')
    expect(await without('@heddle/core/dataloader')).toBe('fails')
  })
})

describe('misuse', () => {
  const make = (...args: unknown[]): (() => unknown) => {
    return () => Reflect.construct(DataLoader, args)
  }
  const load = async (): Promise<never[]> => []

  it.each([
    [
      [],
      'Expected `batchLoadFn` to be a function that takes an array of keys and returns a promise of an array of values, got undefined',
    ],
    [
      [{}],
      'Expected `batchLoadFn` to be a function that takes an array of keys and returns a promise of an array of values, got an object',
    ],
    [[load, { maxBatchSize: 0 }], 'Expected `maxBatchSize` to be a number of at least 1, got 0'],
    [[load, { batchScheduleFn: 1 }], 'Expected `batchScheduleFn` to be a function, got 1'],
    [[load, { cacheKeyFn: 'id' }], 'Expected `cacheKeyFn` to be a function, got id'],
    [
      [load, { cacheMap: { get() {}, clear() {} } }],
      'Expected `cacheMap` to be a map, or a function that makes one; missing methods: set, delete',
    ],
    [[load, { name: 7 }], 'Expected `name` to be a string, got 7'],
  ])('of the constructor is named: %#', (args, message) => {
    expect(make(...args)).toThrow(new TypeError(message))
  })

  it('of the methods and the batch function is named', async () => {
    const loader = new DataLoader<unknown, unknown>(() => 7 as never)
    expect(() => loader.load(null)).toThrow(
      new TypeError('Expected `load()` to be called with a key, got null'),
    )
    expect(() => loader.loadMany('ab')).toThrow(
      new TypeError('Expected `loadMany()` to be called with an array of keys, got ab'),
    )
    const { cause } = (await errorOf(loader.load(1))) as Error
    expect(cause).toEqual(
      new TypeError('Expected the batch function to return a promise of an array of values, got 7'),
    )
  })

  it('of a function that makes no map is named, to whoever loads', async () => {
    const loader = new DataLoader<number, number>(async (keys) => keys, {
      cacheMap: () => ({}) as Map<number, Promise<number>>,
    })
    expect(() => loader.load(1)).toThrow('missing methods: get, set, delete, clear')
    await turn()
  })
})
