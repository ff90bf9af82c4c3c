/** Every way to use a batcher wrongly: its code and its message. */
import { createKey, run as runWith, runRequest } from '@heddle/context'
import { type BatcherOptions, createBatcher } from '@heddle/core'
import { virtualClock } from '@heddle/core/testing'
import { describe, expect, it } from 'vitest'

import { crank, turn, until } from '../support/crank.ts'

const run = (inputs: readonly number[]): readonly number[] => inputs

async function failureOf(call: () => unknown): Promise<{ code: unknown; message: string }> {
  try {
    await call()
  } catch (error) {
    const { code, message } = error as Error & { code: unknown }
    return { code, message }
  }
  throw new Error('Expected a failure')
}

describe('createBatcher', () => {
  it.each([
    [undefined, 'Expected `name` to be a string with text in it, got undefined'],
    [{ run }, 'Expected `name` to be a string with text in it, got undefined'],
    [{ name: '', run }, 'Expected `name` to be a string with text in it, got '],
    [{ name: 'b' }, 'Expected `run` to be a function, got undefined'],
    [{ name: 'b', run: 'x' }, 'Expected `run` to be a function, got x'],
    [{ maxBatchSize: 0 }, 'Expected `maxBatchSize` to be a whole number of at least 1, got 0'],
    [{ maxBatchSize: 1.5 }, 'Expected `maxBatchSize` to be a whole number of at least 1, got 1.5'],
    [{ maxBatchSize: '8' }, 'Expected `maxBatchSize` to be a whole number of at least 1, got 8'],
    [{ maxBatchCost: 0 }, 'Expected `maxBatchCost` to be a number above 0, got 0'],
    [{ cost: 3 }, 'Expected `cost` to be a function, got 3'],
    [
      { maxConcurrency: -1 },
      'Expected `maxConcurrency` to be a whole number of at least 1, got -1',
    ],
    [{ linger: -1 }, "Expected `linger` to be a number of ms of at least 0, or 'auto', got -1"],
    [
      { linger: 'smart' },
      "Expected `linger` to be a number of ms of at least 0, or 'auto', got smart",
    ],
    [{ maxWait: Infinity }, 'Expected `maxWait` to be a number of ms of at least 0, got Infinity'],
    [{ coalesce: 'sync' }, "Expected `coalesce` to be 'immediate' or 'microtask', got sync"],
    [{ maxQueueSize: 0 }, 'Expected `maxQueueSize` to be a whole number of at least 1, got 0'],
    [{ timeout: 0 }, 'Expected `timeout` to be a number above 0, got 0'],
    [{ timeout: null }, 'Expected `timeout` to be a number above 0, got null'],
    [{ partitionBy: {} }, 'Expected `partitionBy` to be a function, got an object'],
    [{ maxbatchsize: 8 }, 'there is no option `maxbatchsize`; the options are `name`, `run`'],
    [{ toString: 8 }, 'there is no option `toString`'],
  ])('refuses %o', async (options, message) => {
    const whole =
      options && !('name' in options || 'run' in options) ? { name: 'b', run, ...options } : options
    const failure = await failureOf(() =>
      createBatcher(whole as unknown as BatcherOptions<number, number>),
    )
    expect(failure.code).toBe('INVALID_OPTION')
    expect(failure.message).toContain(message)
  })
})

describe('submit', () => {
  it.each([
    [
      { signal: 'x' },
      'INVALID_OPTION',
      'Batcher `b`: Expected `signal` to be an AbortSignal, got x',
    ],
    [
      { timeout: 0 },
      'INVALID_OPTION',
      'Batcher `b`: Expected `timeout` to be a number above 0, got 0',
    ],
    [{ onTiming: 1 }, 'INVALID_OPTION', 'Batcher `b`: Expected `onTiming` to be a function, got 1'],
  ])('refuses %o', async (options, code, message) => {
    const batcher = createBatcher({ name: 'b', run })
    expect(await failureOf(() => batcher.submit(1, options as object))).toEqual({ code, message })
    expect(await batcher.submit(2)).toBe(2)
  })

  it('after close', async () => {
    const batcher = createBatcher({ name: 'b', run })
    await batcher.close()
    expect(await failureOf(() => batcher.submit(1))).toEqual({
      code: 'BATCHER_CLOSED',
      message: 'Batcher `b`: it is closed. Cure: submit before `close()` is called',
    })
  })
})

describe('a function of the options that misbehaves rejects that submit alone', () => {
  const boom = (): never => {
    throw new Error('boom')
  }
  it.each([
    ['cost throws', { cost: boom }, 'the item could not be queued: Error: boom'],
    [
      'cost returns no number',
      { cost: () => 'much' },
      'the item could not be queued: RangeError: Expected `cost` to return a number of at least 0, got much',
    ],
    [
      'cost returns NaN',
      { cost: () => Number.NaN },
      'the item could not be queued: RangeError: Expected `cost` to return a number of at least 0, got NaN',
    ],
    ['partitionBy throws', { partitionBy: boom }, 'the item could not be queued: Error: boom'],
    [
      'partitionBy returns no string',
      { partitionBy: () => 7 },
      'the item could not be queued: TypeError: Expected `partitionBy` to return a string, got number',
    ],
  ])('%s', async (_case, bad, message) => {
    // The bad function answers badly for 1 alone.
    const options = Object.fromEntries(
      Object.entries(bad).map(([option, fn]) => [
        option,
        (n: number) => (n === 1 ? fn() : option === 'cost' ? 1 : 'p'),
      ]),
    )
    const batcher = createBatcher<number, number>({ name: 'b', run, ...options })
    const [failure, value] = await Promise.all([
      failureOf(() => batcher.submit(1)),
      batcher.submit(2),
    ])
    expect(failure).toEqual({ code: 'BATCH_FAILED', message: `Batcher \`b\`: ${message}` })
    expect(value).toBe(2)
    expect(batcher.stats()).toMatchObject({ queued: 0, inFlight: 0 })
  })
})

describe('a batch function that misbehaves', () => {
  it.each([
    [
      'throws',
      () => {
        throw new Error('boom')
      },
      'BATCH_FAILED',
      'The batch function failed: Error: boom',
    ],
    [
      'rejects with text',
      () => Promise.reject('boom'),
      'BATCH_FAILED',
      'The batch function failed: "boom" (not an Error)',
    ],
    [
      'rejects with nothing',
      () => Promise.reject(undefined),
      'BATCH_FAILED',
      'The batch function failed: undefined (not an Error)',
    ],
    [
      'returns too few',
      () => [],
      'RESULT_MISMATCH',
      'Expected the batch function to return one result per input: 1, got 0',
    ],
    [
      'returns no array',
      () => 'x',
      'RESULT_MISMATCH',
      'Expected the batch function to return one result per input: 1, got no array but string',
    ],
  ])('%s', async (_case, bad, code, message) => {
    const batcher = createBatcher<number, number>({ name: 'b', run: bad as () => any })
    expect(await failureOf(() => batcher.submit(1))).toEqual({
      code,
      message: `Batcher \`b\`: ${message}`,
    })
    expect(batcher.stats()).toMatchObject({ queued: 0, inFlight: 0 })
  })

  it('returns results, or throws an error, that cannot be read', async () => {
    const boom = (): never => {
      throw new Error('boom')
    }
    const unreadable = new Proxy([1], {
      get: (target, name) => (name === 'length' ? boom() : target[0]),
    })
    const hostile = Object.defineProperty(new Error('hostile'), 'message', { get: boom })
    for (const bad of [() => unreadable, () => Promise.reject(hostile)]) {
      const batcher = createBatcher<number, number>({ name: 'b', run: bad })
      expect((await failureOf(() => batcher.submit(1))).code).toBe('BATCH_FAILED')
      await batcher.drain()
      expect(batcher.stats()).toMatchObject({ queued: 0, inFlight: 0 })
    }
  })

  it('never settles: the timeout frees the caller', async () => {
    using clock = virtualClock()
    const { run: never } = crank<number>()
    const batcher = createBatcher({ name: 'b', run: never, timeout: 5 })
    const failure = failureOf(() => batcher.submit(1))
    await clock.advance(5)
    expect(await failure).toEqual({
      code: 'DEADLINE_EXCEEDED',
      message:
        'Batcher `b`: the deadline passed 5.0 ms after the submit, while its batch was running',
    })
  })

  it('submits to itself while it holds the last slot', async () => {
    let failure: Promise<{ code: unknown; message: string }> | undefined
    const batcher = createBatcher<number, number>({
      name: 'b',
      run: async (inputs) => {
        failure = failureOf(() => batcher.submit(2))
        await failure
        return inputs
      },
    })
    await batcher.submit(1)
    expect(await failure).toEqual({
      code: 'REENTRANT_SUBMIT',
      message:
        'Batcher `b`: its batch function submitted to it while holding the last slot, so both would wait for ever. ' +
        'Cure: call what the batch function needs directly, use a second batcher, or raise `maxConcurrency`',
    })
  })
})

describe('a key', () => {
  it('whose merge function throws fails the batch, and the engine goes on', async () => {
    const key = createKey<string>('test.misuse.merge', {
      batch(values) {
        if (values.includes('bad')) throw new Error('boom')
        return undefined
      },
    })
    const batcher = createBatcher({ name: 'b', run })
    const bad = await failureOf(() => runWith([key.of('bad')], () => batcher.submit(1)))
    expect(bad).toEqual({
      code: 'BATCH_FAILED',
      message: 'Batcher `b`: The batch function failed: Error: boom',
    })
    expect(await batcher.submit(2)).toBe(2)
  })

  it('that decides the partition is read in a closed scope', async () => {
    createKey<string>('test.misuse.partition', { batch: 'partition' })
    const batcher = createBatcher({ name: 'b', run })
    let late: Promise<{ code: unknown; message: string }> | undefined
    runRequest({ id: 'r1' }, () => {
      setTimeout(() => {
        late = failureOf(() => batcher.submit(1))
      }, 1)
    })
    await until(() => late !== undefined)
    const { code, message } = await late!
    expect(code).toBe('BATCH_FAILED')
    expect(message).toContain('ContextError: Scope `r1` was closed')
  })
})

describe('close', () => {
  it('refuses a timeout that is none', async () => {
    const batcher = createBatcher({ name: 'b', run })
    expect(await failureOf(() => batcher.close({ timeout: -1 }))).toEqual({
      code: 'INVALID_OPTION',
      message: 'Batcher `b`: Expected `timeout` to be a number of ms of at least 0, got -1',
    })
    expect(await batcher.submit(1)).toBe(1)
  })
})

describe('the queue', () => {
  it('is full', async () => {
    const { run: slow, calls } = crank<number>()
    const batcher = createBatcher({ name: 'b', run: slow, maxQueueSize: 1 })
    const running = batcher.submit(1)
    await turn()
    const waiting = batcher.submit(2)
    expect(await failureOf(() => batcher.submit(3))).toEqual({
      code: 'QUEUE_FULL',
      message: 'Batcher `b`: 1 items wait already',
    })
    calls[0]?.finish([1])
    await running
    await turn()
    calls[1]?.finish([2])
    await waiting
  })
})
