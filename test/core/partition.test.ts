import { createKey, run as runWith } from '@heddle/context'
import { createBatcher } from '@heddle/core'
import { virtualClock } from '@heddle/core/testing'
import { describe, expect, it } from 'vitest'

import { crank, echo, turn } from '../support/crank.ts'

describe('partitionBy', () => {
  it('keeps items of different partitions in different batches', async () => {
    const { run, batches } = echo<string>()
    const batcher = createBatcher({ name: 'parts', run, partitionBy: (word) => word.charAt(0) })
    await Promise.all(['a1', 'b1', 'a2', 'b2', 'a3'].map((word) => batcher.submit(word)))
    expect(batches).toEqual([
      ['a1', 'a2', 'a3'],
      ['b1', 'b2'],
    ])
  })

  it('shares the slots, the oldest item first', async () => {
    const { run, calls } = crank<string>()
    const batcher = createBatcher({
      name: 'parts',
      run,
      maxBatchSize: 2,
      partitionBy: (word) => word.charAt(0),
    })
    const all = ['a1', 'a2', 'a3', 'b1', 'c1', 'a4'].map((word) => batcher.submit(word))
    const order: (readonly string[])[] = []
    for (let n = 0; n < 4; n += 1) {
      await turn()
      const call = calls[n]!
      order.push(call.inputs)
      call.finish(call.inputs)
    }
    await Promise.all(all)
    expect(order).toEqual([['a1', 'a2'], ['a3', 'a4'], ['b1'], ['c1']])
  })

  it('names the partition', async () => {
    const { run, calls } = crank<string>()
    const batcher = createBatcher({ name: 'parts', run, partitionBy: () => 'north' })
    const item = batcher.submit('x')
    await turn()
    expect(calls[0]?.batch.partition).toBe('north')
    calls[0]?.finish(['x'])
    await item
  })
})

describe('partition keys', () => {
  const tenant = createKey<unknown>('test.partition.tenant', { batch: 'partition' })
  const secret = createKey<string>('test.partition.secret', { batch: 'partition', redact: true })

  /** Submits each value's index with the value as the tenant; gives back the batches. */
  async function batchesOf(values: readonly unknown[]): Promise<(readonly number[])[]> {
    // Which batch is first depends on the ages.
    using clock = virtualClock()
    const { run, batches } = echo<number>()
    const batcher = createBatcher({ name: 'tenants', run })
    const all = values.map((value, index) =>
      runWith([tenant.of(value)], () => batcher.submit(index)),
    )
    await clock.settle()
    await Promise.all(all)
    return batches
  }

  it('never mix values, and show them in the batch', async () => {
    const seen: unknown[] = []
    const batcher = createBatcher({
      name: 'tenants',
      run: (inputs: readonly string[], batch) => {
        seen.push([tenant.getOrThrow(), inputs, batch.partition])
        return inputs
      },
    })
    await Promise.all(
      ['acme', 'evil', 'acme'].map((name) =>
        runWith([tenant.of(name)], () => batcher.submit(name)),
      ),
    )
    expect(seen).toEqual([
      ['acme', ['acme', 'acme'], 'test.partition.tenant=acme'],
      ['evil', ['evil'], 'test.partition.tenant=evil'],
    ])
  })

  it('count as they were at the submit, whatever the request sets later', async () => {
    const seen: unknown[] = []
    const batcher = createBatcher({
      name: 'tenants',
      run: (inputs: readonly number[], batch) => {
        seen.push([tenant.get(), inputs, batch.partition])
        return inputs
      },
    })
    await Promise.all([
      runWith([tenant.of('acme')], () => {
        const item = batcher.submit(1)
        tenant.set('evil')
        return item
      }),
      runWith([tenant.of('acme')], () => batcher.submit(2)),
    ])
    expect(seen).toEqual([['acme', [1, 2], 'test.partition.tenant=acme']])
  })

  it('compare by identity', async () => {
    const object = { name: 'acme' }
    expect(await batchesOf([object, { name: 'acme' }, object])).toEqual([[0, 2], [1]])
    expect(await batchesOf([1, '1', 1n, true, 'true'])).toEqual([[0], [1], [2], [3], [4]])
    expect(await batchesOf([Symbol('a'), Symbol('a')])).toEqual([[0], [1]])
    // The fuller one goes first where the ages are the same.
    expect(await batchesOf([0, Number.NaN, Number.NaN])).toEqual([[1, 2], [0]])
  })

  it('cannot be imitated by a value with separators in it', async () => {
    const { run, batches } = echo<string>()
    const batcher = createBatcher({ name: 'tenants', run, partitionBy: (word) => word })
    await Promise.all([
      runWith([tenant.of('a;')], () => batcher.submit('|b')),
      runWith([tenant.of('a')], () => batcher.submit(';|b')),
      runWith([tenant.of('a'), secret.of('b')], () => batcher.submit('')),
      runWith([tenant.of('a;2:8:string b')], () => batcher.submit('')),
    ])
    expect(batches).toHaveLength(4)
  })

  it('keep items without a value apart, also from those inside no scope', async () => {
    using clock = virtualClock()
    const { run, batches } = echo<string>()
    const batcher = createBatcher({ name: 'tenants', run })
    const all = [
      runWith([tenant.of('acme')], () => batcher.submit('with')),
      runWith([], () => batcher.submit('without')),
      batcher.submit('outside'),
    ]
    await clock.settle()
    await Promise.all(all)
    expect(batches).toEqual([['without', 'outside'], ['with']])
  })

  it('do not print redacted values', async () => {
    const { run, calls } = crank<number>()
    const batcher = createBatcher({ name: 'tenants', run })
    const item = runWith([secret.of('s3cret'), tenant.of('acme')], () => batcher.submit(1))
    await turn()
    expect(calls[0]?.batch.partition).not.toContain('s3cret')
    expect(calls[0]?.batch.partition).toContain('test.partition.secret=[redacted]')
    calls[0]?.finish([1])
    await item
  })
})
