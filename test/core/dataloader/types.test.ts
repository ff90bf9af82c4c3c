/** Code that was typed for `dataloader` compiles with ours. */
import Heddle, { DataLoader } from '@heddle/core/dataloader'
import type Original from 'dataloader'
import { describe, expect, expectTypeOf, it } from 'vitest'

import type { Loader } from './both.ts'

describe('the types', () => {
  it('have the methods of the original', () => {
    type Methods = Pick<
      Original<number, string>,
      'load' | 'loadMany' | 'clear' | 'clearAll' | 'prime'
    >
    expectTypeOf<DataLoader<number, string>>().toExtend<Methods>()
    expectTypeOf<DataLoader<{ id: number }, string, number>>().toExtend<
      Loader<{ id: number }, string>
    >()
    expectTypeOf<DataLoader<number, string>['load']>().toEqualTypeOf<
      Original<number, string>['load']
    >()
    expectTypeOf<DataLoader<number, string>['loadMany']>().toEqualTypeOf<
      Original<number, string>['loadMany']
    >()
    expect(Heddle).toBe(DataLoader)
  })

  it('take batch functions and options of the original', () => {
    type Args = [
      load: Original.BatchLoadFn<{ id: number }, string>,
      options: Original.Options<{ id: number }, string, number>,
    ]
    expectTypeOf<Args>().toExtend<
      ConstructorParameters<typeof DataLoader<{ id: number }, string, number>>
    >()
  })

  it('have the names of the original', () => {
    expectTypeOf<Original.Options<number, string>>().toExtend<Heddle.Options<number, string>>()
    expectTypeOf<Original.BatchLoadFn<number, string>>().toExtend<
      Heddle.BatchLoadFn<number, string>
    >()
    expectTypeOf<Original.CacheMap<number, string>>().toExtend<Heddle.CacheMap<number, string>>()
  })

  it('infer keys and values from the batch function', () => {
    const loader = new DataLoader(async (ids: readonly number[]) => ids.map(String))
    expectTypeOf(loader).toEqualTypeOf<DataLoader<number, string>>()
    const mixed = new DataLoader<number, string>(async (ids) =>
      ids.map((id) => (id ? String(id) : new Error('none'))),
    )
    expectTypeOf(mixed.load(1)).toEqualTypeOf<Promise<string>>()
    // @ts-expect-error a key of another type
    void loader.load('1').catch(() => {})
  })
})
