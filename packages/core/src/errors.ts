export { describe } from '@heddle/context/engine'

/** Marks errors of every copy of this package, and those that an adapter made of one. */
const BRAND = Symbol.for('@heddle/core/BatcherError')

/**
 * A failure that the engine causes or detects, as opposed to an item's own error from the batch
 * function.
 *
 * `instanceof` goes by a brand: it also holds for errors of a second copy of the package, and for
 * what a protocol adapter makes of one (see `isBatcherError`).
 */
export class BatcherError extends Error {
  override readonly name: string = 'BatcherError'
  /** Branch on this, never on the message. */
  readonly code: BatcherErrorCode
  /** The name of the batcher. */
  readonly batcher: string
  /** Seconds after which another try has a chance; with `QUEUE_FULL`. */
  readonly retryAfter?: number | undefined

  static override [Symbol.hasInstance](value: unknown): boolean {
    return isBatcherError(value)
  }

  constructor(
    code: BatcherErrorCode,
    batcher: string,
    message: string,
    options: ErrorOptions & { readonly retryAfter?: number | undefined } = {},
  ) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined)
    this.code = code
    this.batcher = batcher
    if (options.retryAfter !== undefined) this.retryAfter = options.retryAfter
  }
}

Object.defineProperty(BatcherError.prototype, BRAND, { value: true })

/**
 * - `QUEUE_FULL`: `maxQueueSize` callers wait already; try again after `retryAfter`.
 * - `DEADLINE_EXCEEDED`: the item's timeout or the scope's deadline has passed.
 * - `BATCHER_CLOSED`: submitted after `close()`, or given up by its timeout.
 * - `ITEM_TOO_LARGE`: the item costs more than `maxBatchCost`.
 * - `RESULT_MISMATCH`: the batch function did not return one result per input.
 * - `BATCH_FAILED`: the batch function, `cost`, `partitionBy`, `tenantBy`, `dedupeBy`, `read` of an adopted
 *   store or a key's merge function threw, or a `partition` key was read in a closed scope; `cause` is what was
 *   thrown.
 * - `REENTRANT_SUBMIT`: a batch function submitted to its own batcher while it held the last slot.
 * - `INVALID_OPTION`: an option is not as described.
 */
export type BatcherErrorCode =
  | 'QUEUE_FULL'
  | 'DEADLINE_EXCEEDED'
  | 'BATCHER_CLOSED'
  | 'ITEM_TOO_LARGE'
  | 'RESULT_MISMATCH'
  | 'BATCH_FAILED'
  | 'REENTRANT_SUBMIT'
  | 'INVALID_OPTION'

/** Whether `value` is a BatcherError, of whichever copy of this package or adapter. */
export function isBatcherError(value: unknown): value is BatcherError {
  return typeof value === 'object' && value !== null && BRAND in value
}

/** Makes `error`, of another class, pass for `source`: it gets its code, batcher and retry time. */
export function brandAs<E extends Error>(error: E, source: BatcherError): E & BatcherError {
  const { code, batcher, retryAfter } = source
  Object.defineProperty(error, BRAND, { value: true })
  return Object.assign(error, { code, batcher, retryAfter })
}
