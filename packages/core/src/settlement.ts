import { BatcherError, describe } from './errors.ts'
import type { Item, Outcome, Rejection } from './item.ts'
import type { ResolvedOptions } from './options.ts'
import { waitersOf } from './sharing.ts'

/** Who keeps the books of items: the engine. */
export interface Books<I, O> {
  readonly options: ResolvedOptions<I, O>
  fulfil(item: Item<I, O>, value: O): void
  reject(item: Item<I, O>, rejection: Rejection): void
}

/** What is settled together. */
interface Members<I, O> {
  readonly items: readonly Item<I, O>[]
}

/** Gives each caller of a batch what the batch function has made of its item. */
export class Settlement<I, O> {
  readonly #books: Books<I, O>

  constructor(books: Books<I, O>) {
    this.#books = books
  }

  settle(item: Item<I, O>, outcome: Outcome<O>): void {
    if (outcome.status === 'fulfilled') this.#books.fulfil(item, outcome.value)
    else this.#books.reject(item, outcome)
  }

  /** The batch function has returned. */
  settleAll(batch: Members<I, O>, values: readonly (O | Error)[]): void {
    try {
      const mismatch = this.#mismatch(batch, values)
      if (mismatch) this.#failAll(batch, 'RESULT_MISMATCH', mismatch)
      else {
        for (let n = 0; n < values.length; n += 1) {
          this.settleOne(batch, n, values[n] as O | Error)
        }
      }
    } catch (error) {
      // The results are the user's, so even reading them may throw.
      this.failed(batch, error)
    }
  }

  /** The batch function has thrown. */
  failed(batch: Members<I, O>, error: unknown): void {
    this.#failAll(batch, 'BATCH_FAILED', `The batch function failed: ${describe(error)}`, error)
  }

  /** One result, an `Error` in the place of it included. */
  settleOne(batch: Members<I, O>, index: number, value: O | Error): void {
    const item = batch.items[index]
    if (item === undefined) return
    if (value instanceof Error) this.#reject(item, value)
    else if (item.group) this.#fulfilWaiters(item, value)
    else if (!item.settled) this.#books.fulfil(item, value)
  }

  /** @throws BatcherError `RESULT_MISMATCH` */
  assertResults(batch: Members<I, O>, values: unknown): void {
    const mismatch = this.#mismatch(batch, values)
    if (mismatch) throw this.#error('RESULT_MISMATCH', mismatch)
  }

  #failAll(
    { items }: Members<I, O>,
    code: 'RESULT_MISMATCH' | 'BATCH_FAILED',
    message: string,
    cause?: unknown,
  ): void {
    for (const item of items) {
      this.#settleWaiters(item, () => {
        const reason = this.#error(code, message, cause)
        return { status: 'rejected', reason, kind: 'engine' }
      })
    }
  }

  // Apart from `settleOne`, which would otherwise make what these closures capture for every item.

  #fulfilWaiters(item: Item<I, O>, value: O): void {
    this.#settleWaiters(item, () => ({ status: 'fulfilled', value }))
  }

  #reject(item: Item<I, O>, error: Error): void {
    this.#settleWaiters(item, () => {
      const reason = this.#distinct(error)
      return { status: 'rejected', reason, kind: reason === error ? 'item' : 'engine' }
    })
  }

  /** An outcome for each caller: one may change its own error, and must not find another's stack in it. */
  #settleWaiters(item: Item<I, O>, outcome: () => Outcome<O>): void {
    if (item.group === undefined) {
      if (!item.settled) this.settle(item, outcome())
      return
    }
    for (const waiter of waitersOf(item)) {
      // What one is told may end another.
      if (!waiter.settled) this.settle(waiter, outcome())
    }
  }

  #mismatch({ items }: Members<I, O>, values: unknown): string | undefined {
    if (Array.isArray(values) && values.length === items.length) return undefined
    const got = Array.isArray(values) ? values.length : `no array but ${typeof values}`
    return `Expected the batch function to return one result per input: ${items.length}, got ${got}`
  }

  /** The first caller gets the batch function's own error object, later ones another with it as the cause. */
  #distinct(error: Error): Error {
    if (!delivered.has(error)) {
      delivered.add(error)
      return error
    }
    return this.#error('BATCH_FAILED', `This item failed as others did: ${describe(error)}`, error)
  }

  #error(code: 'RESULT_MISMATCH' | 'BATCH_FAILED', message: string, cause?: unknown): BatcherError {
    const { name } = this.#books.options
    return new BatcherError(
      code,
      name,
      `Batcher \`${name}\`: ${message}`,
      cause === undefined ? {} : { cause },
    )
  }
}

/** Errors that some caller has been given. */
const delivered = new WeakSet<Error>()
