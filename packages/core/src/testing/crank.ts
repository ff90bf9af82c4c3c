import type { Batch } from '../types.ts'

/** One call of a batch function, which the test ends. */
export interface Call<I, O> {
  readonly inputs: readonly I[]
  readonly batch: Batch<I>
  /** Lets the batch function return, with one result per input. */
  finish(results: readonly (O | Error)[]): void
  /** Lets the batch function throw. */
  fail(reason: unknown): void
}

/** A batch function and the calls it has had. */
export interface Crank<I, O> {
  readonly run: (inputs: readonly I[], batch: Batch<I>) => Promise<readonly (O | Error)[]>
  /** All of them, the first one first; those that have ended stay. */
  readonly calls: Call<I, O>[]
}

/**
 * A batch function that waits until the test turns the crank.
 *
 * @example
 * ```ts
 * const { run, calls } = crank<number, string>()
 * const users = createBatcher({ name: 'users', run })
 * const user = users.submit(1)
 * await clock.settle()
 * calls[0]?.finish(['Ada'])
 * await user // 'Ada'
 * ```
 */
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
