import type { AdoptedKey, ContextKey, Scope, Snapshot } from '@heddle/context'

import type { BatcherErrorCode } from './errors.ts'
import type { Configuration } from './options.ts'
import type { Priority } from './priority.ts'

/** Joins single submits into calls of its batch function. */
export interface Batcher<I, O> extends AsyncDisposable {
  readonly name: string
  /**
   * Adds an item to the queue and resolves with its result, in the caller's context. The current
   * scope's signal and deadline hold for the item.
   *
   * @throws BatcherError, the item's own error, or the reason of an aborted signal; always as a
   * rejection
   */
  submit(input: I, options?: SubmitOptions): Promise<O>
  /**
   * Submits many inputs as room in the queue frees, so that a long iterable is never `QUEUE_FULL`.
   * Once `options.signal`, the scope or the batcher ends, no further input is taken.
   *
   * @returns how each input that was taken ended, in their order
   * @throws what the iterable throws, once everything that was submitted has settled
   */
  submitAll(
    inputs: Iterable<I> | AsyncIterable<I>,
    options?: SubmitOptions,
  ): Promise<PromiseSettledResult<O>[]>
  /**
   * Changes options while the batcher runs. What waits already is held to the new ones from the next
   * start of a batch on; items keep the deadlines they have.
   *
   * @throws BatcherError `INVALID_OPTION`, and then nothing is changed
   */
  configure(patch: Configuration): void
  /** What the batcher has done since it was made, and does now. */
  stats(): BatcherStats
  /** Resolves when nothing is queued or in flight; until then nothing lingers. */
  drain(): Promise<void>
  /**
   * Takes no new items, runs what is queued and resolves when everything has settled; after `timeout`
   * ms it gives up what is left, which is rejected with `BATCHER_CLOSED`, and aborts the batches in
   * flight.
   */
  close(options?: CloseOptions): Promise<void>
}

export interface SubmitOptions {
  /** Gives the item up: its caller is rejected with the signal's reason at once. @defaultValue none */
  readonly signal?: AbortSignal
  /**
   * ms from now to settlement, above 0; else `INVALID_OPTION`. The batcher's `timeout` and the scope's deadline
   * hold besides.
   *
   * @defaultValue none
   */
  readonly timeout?: number
  /**
   * Whether the item goes before or after the others that wait, of its own tenant if there are
   * tenants. See `ageing`.
   *
   * @defaultValue `'normal'`
   */
  readonly priority?: Priority
  /**
   * Called once when an item that ran settles, in the caller's context, with its times in ms (see
   * {@link ItemTiming}); not called for an item that never ran.
   *
   * @defaultValue none
   */
  readonly onTiming?: (timing: ItemTiming) => void
}

export interface CloseOptions {
  /** ms until what is left is given up. @defaultValue none */
  readonly timeout?: number
}

/**
 * Why a batch started.
 *
 * - `full`: it had `maxBatchSize` items.
 * - `cost`: its items cost `maxBatchCost`, or the next one did not fit into that.
 * - `idle`: a slot was free, and there was nothing to wait for.
 * - `linger`: it had lingered.
 * - `maxWait`: an item had waited for `maxWait`.
 * - `drain`: the batcher drains or closes.
 */
export type StartReason = 'full' | 'cost' | 'idle' | 'linger' | 'maxWait' | 'drain'

/** What the batch function learns of its batch. */
export interface Batch<I> {
  /** Unique in the process, for example `users#17`. */
  readonly id: string
  /** The batcher's name. */
  readonly name: string
  readonly size: number
  /** What the members have in common, `''` without partitions. */
  readonly partition: string
  readonly reason: StartReason
  readonly items: readonly BatchItem<I>[]
  /** Aborts when no member waits for its result any more. */
  readonly signal: AbortSignal
  /** The latest of the members', ms on the `performance.now()` clock; `undefined` if one has none. */
  readonly deadline: number | undefined
}

/** One member of a batch. */
export interface BatchItem<I> {
  readonly input: I
  readonly index: number
  /** Aborts when this member's caller is gone. */
  readonly signal: AbortSignal
  /**
   * ms from its submit to the start of the batch. Items that were submitted in one go, without a timeout,
   * options or instrumentation, share the first one's reading of the clock.
   */
  readonly queuedFor: number
  /**
   * The member's scope; `undefined` outside any, and where several callers wait for the item. With
   * `dedupeBy`, nobody else joins the item once this has been read, as after `run` with one caller.
   */
  readonly scope: Scope | undefined
  /**
   * The contexts that wait for this item: more than one only with `dedupeBy`. More may join until `run`, `wrap`
   * or `scope` of one of them is used. A result goes to all of them, so none of them alone may decide it.
   */
  readonly waiters: readonly Snapshot[]
  /**
   * Runs `fn` in the member's context: every AsyncLocalStorage, OpenTelemetry's and Hono's included.
   * It works until the batch function settles, also for a member that has left meanwhile.
   *
   * Where several callers wait for the item it is in none of theirs, but on neutral ground in a scope
   * that shows of their values what the keys' batch rules allow. `waiters[i].run` enters one.
   *
   * @throws ContextError `ITEM_SETTLED` after that
   */
  run<R>(fn: () => R): R
  /**
   * The member's value of `key`, of an adopted store as it was at the submit; where several callers wait, what
   * the key's batch rule makes of theirs. With `dedupeBy`, reading a key with the rule `hide` closes the item
   * for further callers, as `scope` and `run` do.
   */
  get<T>(key: ContextKey<T> | AdoptedKey<T>): T | undefined
}

/** Where the time of an item went. */
export interface ItemTiming {
  readonly batchId: string
  readonly batchSize: number
  readonly reason: StartReason
  /** ms from the submit to the start of the batch; 0 for a duplicate that joined it later. */
  readonly queued: number
  /** ms from the start of the batch to the item's settlement. */
  readonly ran: number
}

export interface BatcherStats {
  /** Items that wait now. */
  readonly queued: number
  /** ms since the submit of the item that has waited longest, 0 when none waits. */
  readonly oldest: number
  /** Callers that wait, besides, for work that another caller's item stands for; see `dedupeBy`. */
  readonly duplicates: number
  /** Batches in flight now. */
  readonly inFlight: number
  /** Whether `close()` was called, so that it takes nothing new. */
  readonly closing: boolean
  readonly submitted: number
  readonly fulfilled: number
  /** Items rejected: by their own error (`item`), an abort (`aborted`), or the engine's code. */
  readonly rejected: Readonly<Record<BatcherErrorCode | 'item' | 'aborted', number>>
  /** Batches started, by the reason. */
  readonly batches: Readonly<Record<StartReason, number>>
  /** Items per batch; 0 before the first. */
  readonly meanBatchSize: number
  /** ms that items waited from submit to start. */
  readonly wait: Quantiles
  /** ms that batches took. */
  readonly run: Quantiles
}

/** ms; all 0 before the first value. */
export interface Quantiles {
  readonly mean: number
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly max: number
}
