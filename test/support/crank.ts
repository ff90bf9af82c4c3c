import type { Batch } from '@heddle/core'

/** One call of a batch function that a test ends by hand. */
export interface Call<I, O> {
  readonly inputs: readonly I[]
  readonly batch: Batch<I>
  finish(results: readonly (O | Error)[]): void
  fail(reason: unknown): void
}

export interface Crank<I, O> {
  readonly run: (inputs: readonly I[], batch: Batch<I>) => Promise<readonly (O | Error)[]>
  readonly calls: Call<I, O>[]
}

/** A batch function that waits until the test turns the crank. */
export function crank<I, O = I>(): Crank<I, O> {
  const calls: Call<I, O>[] = []
  return {
    calls,
    run: (inputs, batch) =>
      new Promise((resolve, reject) => {
        calls.push({ inputs, batch, finish: resolve, fail: reject })
      }),
  }
}

/** Returns its inputs, and notes the batches that were made. */
export function echo<I>(): {
  readonly run: (inputs: readonly I[], batch: Batch<I>) => readonly I[]
  readonly batches: (readonly I[])[]
} {
  const batches: (readonly I[])[] = []
  return {
    batches,
    run(inputs) {
      batches.push(inputs)
      return inputs
    },
  }
}

/** One turn of the event loop: what was to start in this turn has started. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(() => setImmediate(resolve))
  })
}

export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}

/** How a promise ended: its value, or the code or message of what it was rejected with. */
export async function ended(promise: Promise<unknown>): Promise<unknown> {
  try {
    return await promise
  } catch (error) {
    if (!(error instanceof Error)) return error
    return 'code' in error && typeof error.code === 'string' ? error.code : error.message
  }
}
