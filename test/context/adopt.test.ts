import { AsyncLocalStorage } from 'node:async_hooks'

import { adopt, ContextError, createKey, openBatchScope, Snapshot } from '@heddle/context'
import { createBatcher } from '@heddle/core'
import { describe, expect, it } from 'vitest'

import { collectedWarnings } from '../support/warnings.ts'

const warnings = collectedWarnings()

const codeOf = (fn: () => unknown): unknown => {
  try {
    return fn()
  } catch (error) {
    return error instanceof ContextError ? error.code : error
  }
}

describe('an adopted key', () => {
  const store = new AsyncLocalStorage<{ readonly id: string }>()
  const key = adopt(store, { name: 'test.adopted', batch: 'same', read: ({ id }) => id })

  it('reads the store of the code that runs', () => {
    expect(key.name).toBe('test.adopted')
    expect(key.get()).toBeUndefined()
    expect(store.run({ id: 'a' }, () => [key.get(), key.getOrThrow()])).toEqual(['a', 'a'])
  })

  it('says why there is no value', () => {
    expect(codeOf(() => key.getOrThrow())).toBe('NO_VALUE')
    const members = ['a', 'b'].map((id) => store.run({ id }, () => Snapshot.capture()))
    const scope = openBatchScope(members, { name: 'test#1' })
    expect(scope.run(() => codeOf(() => key.getOrThrow()))).toBe('IN_BATCH')
    scope.close()
    for (const member of members) member.release()
  })

  it('is shown by snapshots as members of a batch scope, too', () => {
    const members = ['a', 'a'].map((id) => store.run({ id }, () => Snapshot.capture()))
    const scope = openBatchScope(members, { name: 'test#2' })
    expect(scope.run(() => key.get())).toBe('a')
    scope.close()
    for (const member of members) member.release()
  })
})

describe('adopting again', () => {
  it('the same store under its name replaces the rule: a module was loaded again', async () => {
    const store = new AsyncLocalStorage<string>()
    const former = adopt(store, { name: 'test.again', batch: 'hide' })
    const key = adopt(store, { name: 'test.again', batch: 'partition' })
    const batcher = createBatcher<number, unknown>({
      name: 'again',
      run: (ids) => ids.map(() => [store.getStore(), key.get(), former.get()]),
    })
    const answers = await Promise.all(
      ['a', 'b'].map((value) => store.run(value, () => batcher.submit(1))),
    )
    expect(answers).toEqual([
      ['a', 'a', 'a'],
      ['b', 'b', 'b'],
    ])
    expect(warnings).toEqual([])
  })

  it('another store under a used name warns, and code that reads the former one goes on', async () => {
    const former = new AsyncLocalStorage<string>()
    const newer = new AsyncLocalStorage<string>()
    adopt(former, { name: 'test.reloaded', batch: 'partition' })
    adopt(newer, { name: 'test.reloaded', batch: 'partition' })
    expect(warnings.map(({ code }) => code)).toEqual(['DUPLICATE_KEY'])
    const batcher = createBatcher<number, unknown>({
      name: 'reloaded',
      run: (ids) => ids.map(() => [former.getStore(), newer.getStore()]),
    })
    const answers = await Promise.all([
      former.run('a', () => batcher.submit(1)),
      newer.run('b', () => batcher.submit(1)),
    ])
    expect(answers).toEqual([
      ['a', undefined],
      [undefined, 'b'],
    ])
  })

  it('the same store under another name is refused', () => {
    const store = new AsyncLocalStorage<string>()
    adopt(store, { name: 'test.once', batch: 'same' })
    expect(codeOf(() => adopt(store, { name: 'test.twice', batch: 'same' }))).toBe('DUPLICATE_KEY')
  })

  it('a name whose carrier entry belongs to a key is refused', () => {
    const carry = { encode: (value: string) => value, decode: (text: string) => text }
    createKey('test.carried', { carry })
    const store = new AsyncLocalStorage<string>()
    const again = (): unknown => adopt(store, { name: 'test.carried', batch: 'same', carry })
    expect(codeOf(again)).toBe('DUPLICATE_KEY')
  })
})

describe('an object per request', () => {
  const submits = async (name: string, values: readonly object[]): Promise<void> => {
    const store = new AsyncLocalStorage<object>()
    adopt(store, { name, batch: 'partition' })
    const batcher = createBatcher<number, number>({ name, run: (ids) => ids })
    await Promise.all(values.map((value) => store.run(value, () => batcher.submit(1))))
  }

  it('is reported after submits in a row that had 32 different ones', async () => {
    await submits(
      'test.objects',
      Array.from({ length: 40 }, () => ({})),
    )
    expect(warnings.map(({ code }) => code)).toEqual(['OBJECT_PER_REQUEST'])
    expect(warnings[0]?.message).toContain('`read: (store) => store.tenant`')
  })

  it('is reported where each request submits more than once', async () => {
    const objects = Array.from({ length: 40 }, () => ({}))
    await submits(
      'test.objects.twice',
      objects.flatMap((object) => [object, object, object]),
    )
    expect(warnings.map(({ code }) => code)).toEqual(['OBJECT_PER_REQUEST'])
  })

  it('is not reported for objects that come back', async () => {
    const tenants = Array.from({ length: 31 }, () => ({}))
    await submits('test.objects.few', [...tenants, ...tenants])
    expect(warnings).toEqual([])
  })
})

describe('adopt refuses', () => {
  const store = new AsyncLocalStorage<string>()
  it.each([
    [
      'no store',
      () => adopt(undefined as never, { name: 'x', batch: 'same' }),
      'AsyncLocalStorage',
    ],
    ['half a store', () => adopt({ getStore() {} } as never, {} as never), '`getStore` and `run`'],
    ['no options', () => adopt(store, undefined as never), 'a `batch` rule'],
    ['no rule', () => adopt(store, { name: 'x' } as never), '`batch` of key `x`'],
    ['an unknown rule', () => adopt(store, { name: 'x', batch: 'all' as never }), 'got all'],
    ['no name', () => adopt(store, { name: '', batch: 'same' }), '`name`'],
    [
      'an unknown option',
      () => adopt(store, { name: 'x', batch: 'same', key: 1 } as never),
      'no option `key`',
    ],
    [
      'what is no function',
      () => adopt(store, { name: 'x', batch: 'same', read: 'tenant' as never }),
      '`read` of `x` to be a function, got string',
    ],
    [
      'what is no carry',
      () => adopt(store, { name: 'x', batch: 'same', carry: {} as never }),
      '`encode` and `decode`',
    ],
  ])('%s', (_what, call, message) => {
    expect(call).toThrow(TypeError)
    expect(call).toThrow(message)
  })
})
