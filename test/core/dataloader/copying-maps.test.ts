/** A `cacheMap` that does not keep the promise that it gets: a copy, a thenable, or a new one each time. */
import { runRequest } from '@heddle/context'
import { createBatcher } from '@heddle/core'
import { type CacheMap, DataLoader } from '@heddle/core/dataloader'
import { crank } from '@heddle/core/testing'
import { describe, expect, it } from 'vitest'

import { ended, turn } from '../../support/crank.ts'

type Value = Promise<number>
type Copy = (promise: Value) => Value

class Mine<T> extends Promise<T> {}

const looked: Copy = (promise) => {
  promise.catch(() => {})
  return promise
}

/** A map that passes what it gets, or gives, through a function. */
function mapWith(onSet: Copy, onGet: Copy): CacheMap<number, Value> {
  const map = new Map<number, Value>()
  return {
    get(key) {
      const value = map.get(key)
      return value && onGet(value)
    },
    set: (key, promise) => map.set(key, onSet(promise)),
    delete: (key) => map.delete(key),
    clear: () => map.clear(),
  }
}

const same: Copy = (promise) => promise
const copy: Copy = (promise) => looked(promise.then((value) => value))

const maps: [what: string, make: () => CacheMap<number, Value>][] = [
  ['the same promise', () => mapWith(same, same)],
  ['a promise of a class of its own', () => mapWith((p) => looked(Mine.resolve(p)), same)],
  ['a copy', () => mapWith(copy, same)],
  [
    'a thenable',
    // oxlint-disable-next-line unicorn/no-thenable
    () => mapWith((p) => ({ then: p.then.bind(p) }) as Value, same),
  ],
  ['a copy each time', () => mapWith(same, copy)],
  ['a copy of a copy each time', () => mapWith(copy, copy)],
]

describe.each(maps)('a map for all that gives %s', (_what, make) => {
  it('hands nobody the end of the request that was the first to load', async () => {
    const { run, calls } = crank<number>()
    const loader = new DataLoader<number, number>(run, { cacheMap: make() })
    const leaving = new AbortController()
    const first = runRequest({ signal: leaving.signal }, () => ended(loader.load(1)))
    const second = runRequest({}, () => loader.load(1))
    await turn()
    const third = runRequest({}, () => loader.load(1))
    leaving.abort(new Error('left'))
    expect(await first).toBe('left')
    await turn()
    calls[1]?.finish([7])
    expect(await Promise.all([second, third])).toEqual([7, 7])
    expect(await runRequest({}, () => loader.load(1))).toBe(7)
    expect(calls.map(({ inputs }) => inputs)).toEqual([[1], [1]])
    calls[0]?.finish([8])
  })

  it('hands nobody what was made for another, nor the failure of a batch', async () => {
    const { run, calls } = crank<number>()
    const loader = new DataLoader<number, number>(run, { cacheMap: make() })
    const loads = [1, 2].map(() => runRequest({}, () => loader.load(1)))
    await turn()
    calls[0]?.batch.items[0]?.run(() => {})
    calls[0]?.finish([7])
    await turn()
    calls[1]?.finish([8])
    expect(await Promise.all(loads)).toEqual([7, 8])
    const failing = runRequest({}, () => ended(loader.load(1)))
    await turn()
    calls[2]?.fail(new Error('down'))
    expect(await failing).toBe('BATCH_FAILED')
    const next = runRequest({}, () => loader.load(1))
    await turn()
    calls[3]?.finish([9])
    expect(await next).toBe(9)
  })

  it('does not let a batch function wait for its own slot', async () => {
    const loader: DataLoader<number, number> = new DataLoader<number, number>(
      (keys) => Promise.all(keys.map((key) => (key > 1 ? loader.load(1) : key))),
      { cacheMap: make(), acrossRequests: { maxConcurrency: 1 } },
    )
    const first = runRequest({}, () => loader.load(2))
    await turn()
    const second = runRequest({}, () => loader.load(1))
    expect(await Promise.all([first, second])).toEqual([1, 1])
  })

  it('remembers, for batches of several requests as well', async () => {
    const { run, calls } = crank<number>()
    const loader = new DataLoader<number, number>(run, { cacheMap: make })
    const batcher = createBatcher<number, number>({
      name: 'loads',
      run: async () => {
        const value = await loader.load(1)
        return [value, await loader.load(1)]
      },
    })
    const loads = [1, 2].map((n) =>
      runRequest({}, async () => [await batcher.submit(n), await loader.load(1)]),
    )
    await turn()
    calls[0]?.finish([7])
    expect(await Promise.all(loads)).toEqual([
      [7, 7],
      [7, 7],
    ])
    expect(calls).toHaveLength(1)
  })
})

it('a value is the one that the map gives', async () => {
  const loader = new DataLoader<number, number>(async (keys) => keys, {
    cacheMap: mapWith((promise) => looked(promise.then((value) => value * 10)), same),
  })
  const load = (): Promise<number> => runRequest({}, () => loader.load(1))
  expect([...(await Promise.all([load(), load()])), await load()]).toEqual([1, 10, 10])
})

it('a map that forgets nothing keeps nobody waiting, and gives nobody what is another’s', async () => {
  const cacheMap = Object.assign(mapWith(same, same), { delete: () => false })
  const { run, calls } = crank<number>()
  const loader = new DataLoader<number, number>(run, { cacheMap })
  const leaving = new AbortController()
  const first = runRequest({ signal: leaving.signal }, () => ended(loader.load(1)))
  const second = runRequest({}, () => loader.load(1))
  await turn()
  leaving.abort(new Error('left'))
  expect(await first).toBe('left')
  await turn()
  calls[1]?.batch.items[0]?.run(() => {})
  calls[1]?.finish([7])
  expect(await second).toBe(7)
  const third = runRequest({}, () => loader.load(1))
  await turn()
  calls[2]?.finish([8])
  expect(await third).toBe(8)
  calls[0]?.finish([9])
})
