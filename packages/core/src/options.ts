import { assertBatcherOptions } from './rules.ts'
import type { Batch } from './types.ts'

export interface BatcherOptions<I, O> {
  /** Names the batcher in spans, metrics and errors. */
  readonly name: string
  /**
   * The batch function. It must return one result per input, in the order of the inputs; an `Error` in
   * the place of a result rejects that item alone. It runs in a scope of its own: no request is current.
   */
  readonly run: (
    inputs: readonly I[],
    batch: Batch<I>,
  ) => PromiseLike<readonly (O | Error)[]> | readonly (O | Error)[]
  /**
   * The most items of a batch.
   *
   * @defaultValue 64
   */
  readonly maxBatchSize?: number
  /**
   * What an item costs, in a unit of your own (tokens, bytes, rows): a number of at least 0. It runs in
   * the caller's context, once per item, and must be pure.
   *
   * @defaultValue 1 each
   */
  readonly cost?: (input: I) => number
  /**
   * The most that the items of a batch may cost together, in the unit of `cost`.
   *
   * @defaultValue Infinity
   */
  readonly maxBatchCost?: number
  /**
   * Batches in flight at a time. More than one pays only if the backend really works in parallel.
   *
   * @defaultValue 1
   */
  readonly maxConcurrency?: number
  /**
   * ms to wait for more items once a slot is free and an item is there. `'auto'` learns from the arrivals and
   * the run times how long that had better be, and does not wait where nothing is gained by it.
   *
   * @defaultValue `'auto'`
   */
  readonly linger?: number | 'auto'
  /**
   * ms since its submit that lingering, or `minBatchSize`, may hold an item back.
   *
   * @defaultValue 50, or `linger` if that is more
   */
  readonly maxWait?: number
  /**
   * Items below which a batch starts only if no other is in flight, or one has waited for `maxWait`. It
   * keeps several slots from sharing out what one batch could do.
   *
   * @defaultValue 1
   */
  readonly minBatchSize?: number
  /**
   * When a batch that need not wait starts: `immediate` lets every socket that can be read in this
   * turn of the event loop join; `microtask` takes only what is submitted in the same task.
   *
   * @defaultValue `'immediate'`
   */
  readonly coalesce?: 'immediate' | 'microtask'
  /**
   * The most callers that wait, those with `dedupeBy` included; beyond it a submit is rejected with
   * `QUEUE_FULL`. With `tenantBy` no tenant may take more of it than is left for the others.
   *
   * @defaultValue 1024
   */
  readonly maxQueueSize?: number
  /**
   * ms from an item's submit to its settlement. An item that is sure not to make it, as batches go, is
   * rejected without being run.
   *
   * @defaultValue none
   */
  readonly timeout?: number
  /**
   * Items of different partitions never share a batch. It runs in the caller's context, once per item,
   * and must be pure.
   */
  readonly partitionBy?: (input: I) => string
  /**
   * Whose an item is. The tenants of a partition take turns, in cost units, however much one of them
   * submits. It runs in the caller's context, once per item, and must be pure.
   */
  readonly tenantBy?: (input: I) => string
  /**
   * Items with the same text here, the same partition and the same tenant share one execution, while it
   * waits and while it runs, and get the same result. It runs in the caller's context, once per item, and
   * must be pure.
   *
   * A caller joins an execution that runs only if it has the identical value (`Object.is`) of every key and
   * adopted store whose batch rule is not `hide` as each caller that the batch had at its start; otherwise its
   * item is new work. A merge key with a new array per request therefore shares no running work.
   */
  readonly dedupeBy?: (input: I) => string
  /**
   * ms of waiting that are worth one class of priority: a low item that has waited so much longer goes
   * before a normal one.
   *
   * @defaultValue 1000
   */
  readonly ageing?: number
  /**
   * What happens when the batch function throws: `reject` rejects all its items; `bisect` runs each half
   * again, in the same slot, until it has found the items that fail alone. For work that may be done twice.
   *
   * @defaultValue `'reject'`
   */
  readonly onFailure?: 'reject' | 'bisect'
  /**
   * ms after which a batch that nobody waits for any more loses its slot, though its function has not
   * settled. More than `maxConcurrency` functions may then run.
   *
   * @defaultValue never
   */
  readonly abortGrace?: number
  /**
   * Whether a read throws `IN_BATCH` if the batch function finds a store of the app empty that has a value for
   * a member. For tests. `false` reports it once. Never looked at where `NODE_ENV` is `production`.
   *
   * @defaultValue `false`
   */
  readonly strictStores?: boolean
}

/** What may be changed while a batcher runs. */
export type Configuration = Partial<
  Pick<
    BatcherOptions<never, never>,
    | 'maxBatchSize'
    | 'maxBatchCost'
    | 'maxConcurrency'
    | 'linger'
    | 'maxWait'
    | 'maxQueueSize'
    | 'timeout'
  >
>

type Optional = 'cost' | 'timeout' | 'partitionBy' | 'tenantBy' | 'dedupeBy' | 'abortGrace'

/** The options with their defaults. */
export type ResolvedOptions<I, O> = BatcherOptions<I, O> &
  Required<Omit<BatcherOptions<I, O>, Optional>>

/** @throws BatcherError `INVALID_OPTION` */
export function resolveOptions<I, O>(options: BatcherOptions<I, O>): ResolvedOptions<I, O> {
  const linger = options?.linger ?? 'auto'
  const resolved = {
    ...options,
    // Named, so that they are checked where they are missing.
    name: options?.name,
    run: options?.run,
    maxBatchSize: options?.maxBatchSize ?? 64,
    maxBatchCost: options?.maxBatchCost ?? Number.POSITIVE_INFINITY,
    maxConcurrency: options?.maxConcurrency ?? 1,
    linger,
    maxWait: options?.maxWait ?? Math.max(50, linger === 'auto' ? 0 : linger),
    minBatchSize: options?.minBatchSize ?? 1,
    coalesce: options?.coalesce ?? 'immediate',
    maxQueueSize: options?.maxQueueSize ?? 1024,
    ageing: options?.ageing ?? 1000,
    onFailure: options?.onFailure ?? 'reject',
    strictStores: options?.strictStores ?? false,
  }
  assertBatcherOptions(resolved)
  return resolved
}
