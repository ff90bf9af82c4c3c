import { BatcherError, describe } from './errors.ts'
import type { Item, Outcome } from './item.ts'
import type { ResolvedOptions } from './options.ts'
import { waitersOf } from './sharing.ts'

interface Books<I, O> {
  readonly options: ResolvedOptions<I, O>
  settle(item: Item<I, O>, outcome: Outcome<O>): void
}

/** Gives each caller of a batch what the batch function has made of its item. */
export class Settlement<I, O> {
  readonly #books: Books<I, O>
  readonly #batch: { readonly items: readonly Item<I, O>[] }

  constructor(books: Books<I, O>, batch: { readonly items: readonly Item<I, O>[] }) {
    this.#books = books
    this.#batch = batch
  }

  /** The batch function has returned. */
  settleAll(values: readonly (O | Error)[]): void {
    try {
      const mismatch = this.#mismatch(values)
      if (mismatch) this.#failAll('RESULT_MISMATCH', mismatch)
      else for (let n = 0; n < values.length; n += 1) this.settleOne(n, values[n] as O | Error)
    } catch (error) {
      // The results are the user's, so even reading them may throw.
      this.failed(error)
    }
  }

  /** The batch function has thrown. */
  failed(error: unknown): void {
    this.#failAll('BATCH_FAILED', `The batch function failed: ${describe(error)}`, error)
  }

  /** One result, an `Error` in the place of it included. */
  settleOne(index: number, value: O | Error): void {
    if (!(value instanceof Error)) {
      this.#fulfil(index, value)
      return
    }
    this.#settleWaiters(index, () => {
      const reason = this.#distinct(value)
      return { status: 'rejected', reason, kind: reason === value ? 'item' : 'engine' }
    })
  }

  /** @throws BatcherError `RESULT_MISMATCH` */
  assertResults(values: unknown): void {
    const mismatch = this.#mismatch(values)
    if (mismatch) throw this.#error('RESULT_MISMATCH', mismatch)
  }

  #failAll(code: 'RESULT_MISMATCH' | 'BATCH_FAILED', message: string, cause?: unknown): void {
    for (let index = 0; index < this.#batch.items.length; index += 1) {
      this.#settleWaiters(index, () => {
        const reason = this.#error(code, message, cause)
        return { status: 'rejected', reason, kind: 'engine' }
      })
    }
  }

  #fulfil(index: number, value: O): void {
    const item = this.#batch.items[index]
    if (item === undefined) return
    const outcome: Outcome<O> = { status: 'fulfilled', value }
    if (item.group) this.#settleWaiters(index, () => outcome)
    else if (!item.settled) this.#books.settle(item, outcome)
  }

  /** An outcome for each caller: one may change its own error, and must not find another's stack in it. */
  #settleWaiters(index: number, outcome: () => Outcome<O>): void {
    const item = this.#batch.items[index]
    if (item === undefined) return
    if (item.group === undefined) {
      if (!item.settled) this.#books.settle(item, outcome())
      return
    }
    for (const waiter of waitersOf(item)) {
      // What one is told may end another.
      if (!waiter.settled) this.#books.settle(waiter, outcome())
    }
  }

  #mismatch(values: unknown): string | undefined {
    const expected = `Expected the batch function to return one result per input: ${this.#batch.items.length}`
    if (!Array.isArray(values)) return `${expected}, got no array but ${typeof values}`
    return values.length === this.#batch.items.length
      ? undefined
      : `${expected}, got ${values.length}`
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
