import { BatcherError, createBatcher } from '@heddle/core'
import { describe, expect, it } from 'vitest'

import { turn, until } from '../support/crank.ts'

/** Submits 1 … count at once and gives back how each ended: the value or the error itself. */
async function outcomes(
  run: (inputs: readonly number[]) => any,
  count = 3,
): Promise<{ results: unknown[]; next: unknown }> {
  let calls = 0
  const batcher = createBatcher<number, number>({
    name: 'numbers',
    run: (inputs) => ((calls += 1) === 1 ? run(inputs) : inputs),
  })
  const numbers = Array.from({ length: count }, (_, index) => index + 1)
  const settled = await Promise.allSettled(numbers.map((n) => batcher.submit(n)))
  return {
    results: settled.map((one) => (one.status === 'fulfilled' ? one.value : one.reason)),
    // Whatever happened to the first batch, the engine goes on.
    next: await batcher.submit(42),
  }
}

function codes(results: readonly unknown[]): unknown[] {
  return results.map((result) => (result instanceof BatcherError ? result.code : result))
}

describe('settlement', () => {
  it('rejects only the item that has an Error in its place', async () => {
    const odd = new RangeError('odd')
    const { results, next } = await outcomes((ns) => ns.map((n: number) => (n === 2 ? odd : n)))
    expect(results).toEqual([1, odd, 3])
    expect(results[1]).toBe(odd)
    expect(next).toBe(42)
  })

  it('gives one Error that stands in several places to one caller alone', async () => {
    const shared = new Error('shared')
    const { results } = await outcomes(() => [shared, shared, shared])
    expect(results[0]).toBe(shared)
    expect(codes(results.slice(1))).toEqual(['BATCH_FAILED', 'BATCH_FAILED'])
    expect(results[1]).not.toBe(results[2])
    expect(results.slice(1).map((error) => (error as Error).cause)).toEqual([shared, shared])
  })

  it('never gives the same Error to callers of two batches', async () => {
    const constant = new Error('constant')
    const batcher = createBatcher<number, number>({ name: 'constant', run: () => [constant] })
    const first = await batcher.submit(1).catch((error: unknown) => error)
    const second = await batcher.submit(2).catch((error: unknown) => error)
    expect(first).toBe(constant)
    expect(second).toMatchObject({ code: 'BATCH_FAILED', cause: constant })
  })

  it.each([
    [
      'throws synchronously',
      () => {
        throw new Error('boom')
      },
      'boom',
    ],
    ['rejects', () => Promise.reject(new Error('boom')), 'boom'],
  ])(
    'rejects every item with an error of its own when the function %s',
    async (_, run, message) => {
      const { results, next } = await outcomes(run)
      expect(codes(results)).toEqual(['BATCH_FAILED', 'BATCH_FAILED', 'BATCH_FAILED'])
      expect(new Set(results).size).toBe(3)
      for (const error of results as Error[]) {
        expect(error.cause).toMatchObject({ message })
        expect(error.message).toContain('numbers')
        expect(error.message).toContain('boom')
      }
      expect(next).toBe(42)
    },
  )

  it('keeps what is thrown that is not an Error as the cause', async () => {
    // oxlint-disable-next-line typescript/prefer-promise-reject-errors
    const { results } = await outcomes(() => Promise.reject('just text'), 1)
    expect(results[0]).toMatchObject({ code: 'BATCH_FAILED', cause: 'just text' })
  })

  it.each([
    ['too few', () => [1], 'got 1'],
    ['too many', (ns: readonly number[]) => [...ns, 4], 'got 4'],
    ['nothing', () => undefined, 'undefined'],
    ['no array', () => ({ 0: 1, 1: 2, 2: 3, length: 3 }), 'object'],
    ['a promise of too few', () => Promise.resolve([]), 'got 0'],
  ])('rejects every item when the function returns %s', async (_, run, got) => {
    const { results, next } = await outcomes(run)
    expect(codes(results)).toEqual(['RESULT_MISMATCH', 'RESULT_MISMATCH', 'RESULT_MISMATCH'])
    expect(new Set(results).size).toBe(3)
    expect((results[0] as Error).message).toContain('one result per input: 3')
    expect((results[0] as Error).message).toContain(got)
    expect(next).toBe(42)
  })

  it('takes a thenable from the batch function', async () => {
    const { results } = await outcomes((ns) => ({
      // oxlint-disable-next-line unicorn/no-thenable
      then: (resolve: (values: readonly number[]) => void) => resolve(ns),
    }))
    expect(results).toEqual([1, 2, 3])
  })

  it('knows errors of other copies and adapters by their brand', async () => {
    const error = await createBatcher<number, number>({ name: 'x', run: () => [] })
      .submit(1)
      .catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(BatcherError)
    expect(new Error('other')).not.toBeInstanceOf(BatcherError)
    expect(null).not.toBeInstanceOf(BatcherError)
  })
})

describe('a rejection that nobody waits for', () => {
  it('is no unhandled rejection when the caller itself left', async () => {
    const unhandled: unknown[] = []
    const note = (reason: unknown): void => void unhandled.push(reason)
    process.on('unhandledRejection', note)
    try {
      const batcher = createBatcher<number, number>({
        name: 'left',
        timeout: 5,
        run: () => new Promise(() => {}),
      })
      const controller = new AbortController()
      void batcher.submit(1, { signal: controller.signal })
      void batcher.submit(2)
      controller.abort()
      await until(() => batcher.stats().rejected.DEADLINE_EXCEEDED === 1)
      await turn()
      expect(batcher.stats().rejected).toMatchObject({ aborted: 1, DEADLINE_EXCEEDED: 1 })
      expect(unhandled).toEqual([])
    } finally {
      process.off('unhandledRejection', note)
    }
  })
})
