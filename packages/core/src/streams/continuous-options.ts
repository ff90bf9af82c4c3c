import type { BatcherOptions } from '../options.ts'
import type { BatchItem } from '../types.ts'

/** One item that is active, as `start` and `step` see it. */
export interface ActiveItem<I = unknown> extends Omit<BatchItem<I>, 'index' | 'waiters'> {
  /** Unique in the process, for example `words#17`. */
  readonly id: string
}

/** What `start` has made of an item, and the item. The same object in every step. */
export interface Active<I, S> {
  readonly state: S
  readonly item: ActiveItem<I>
}

/** What `step` learns of itself. */
export interface Step {
  /** Aborts when the consumers of all items of this step have left. */
  readonly signal: AbortSignal
}

/** What a step has made for one item; `undefined` for nothing yet. */
export type StepResult<C> =
  | {
      /** The next chunk, unless it is `undefined`. */
      readonly chunk?: C | undefined
      /** The next chunks, after `chunk`. */
      readonly chunks?: readonly C[] | undefined
      /** The stream ends after them. */
      readonly done?: boolean | undefined
      /** The stream ends after them with this error; the other items go on. */
      readonly error?: Error | undefined
    }
  | undefined

type Admission = Pick<
  BatcherOptions<never, never>,
  'name' | 'maxQueueSize' | 'timeout' | 'ageing' | 'strictStores'
>

export interface ContinuousBatcherOptions<I, S, C> extends Admission {
  /**
   * Begins the work of one item, while the steps of the others go on, and returns what the steps need of
   * it. It runs in a scope of its own: no request is current; `item.run` enters the item's.
   *
   * If it throws, that item alone is rejected with `BATCH_FAILED`.
   */
  readonly start: (input: I, item: ActiveItem<I>) => PromiseLike<S> | S
  /**
   * Does a step of the work of all items in `active`, and returns one result for each, in their order.
   * Steps of a partition come one after the other; it must not wait for a stream of its own batcher. It
   * runs in a scope of its own: no request is current.
   *
   * If it throws, each item of the step is rejected with a `BATCH_FAILED` of its own.
   */
  readonly step: (
    active: readonly Active<I, S>[],
    step: Step,
  ) => PromiseLike<readonly StepResult<C>[]> | readonly StepResult<C>[]
  /**
   * Gives back what `start` has taken: called once for each state, however its item has ended, and never
   * while a step has it. The item's place is free when it has settled.
   *
   * What it throws is reported on the diagnostics channel `heddle:warning`.
   */
  readonly end?: (state: S) => PromiseLike<void> | void
  /**
   * The most items that are active, of all partitions together; others wait.
   *
   * @defaultValue 64
   */
  readonly maxActive?: number
  /**
   * Chunks of an item that wait for its consumer. An item that has as many is left out of the steps until
   * its consumer has taken one. A step that gives an item several chunks may give it more than fit.
   *
   * @defaultValue 16
   */
  readonly maxBuffered?: number
  /**
   * ms that an item may be left out so, and keep its place from those that wait; then it is rejected with
   * `DEADLINE_EXCEEDED`.
   *
   * @defaultValue 30_000
   */
  readonly maxStall?: number
  /**
   * What an item costs of its tenant's turn, see `tenantBy`: a number of at least 0. It runs in the
   * caller's context, once per item, and must be pure.
   *
   * @defaultValue 1 each
   */
  readonly cost?: (input: I) => number
  /**
   * Items of different partitions never share a step; the steps of different partitions may overlap. It
   * runs in the caller's context, once per item, and must be pure.
   */
  readonly partitionBy?: (input: I) => string
  /**
   * Whose an item is. While items wait, the tenants of a partition take turns, in cost units. It runs in
   * the caller's context, once per item, and must be pure.
   */
  readonly tenantBy?: (input: I) => string
}
