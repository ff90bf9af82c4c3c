import { BatcherError, type BatcherErrorCode } from './errors.ts'
import { Histogram } from './histogram.ts'
import type { Rejection } from './item.ts'
import type { BatcherStats, Quantiles, StartReason } from './types.ts'

/** The books of a batcher. */
export class Ledger {
  submitted = 0
  fulfilled = 0
  readonly rejected: Record<BatcherErrorCode | 'item' | 'aborted', number> = {
    item: 0,
    aborted: 0,
    QUEUE_FULL: 0,
    DEADLINE_EXCEEDED: 0,
    BATCHER_CLOSED: 0,
    ITEM_TOO_LARGE: 0,
    RESULT_MISMATCH: 0,
    BATCH_FAILED: 0,
    REENTRANT_SUBMIT: 0,
    INVALID_OPTION: 0,
  }
  readonly batches: Record<StartReason, number> = {
    full: 0,
    cost: 0,
    idle: 0,
    linger: 0,
    maxWait: 0,
    drain: 0,
  }
  #batches = 0
  #items = 0
  /** µs, up to an hour, as the other one. */
  readonly #wait = new Histogram()
  readonly #run = new Histogram()

  started(reason: StartReason, size: number): void {
    this.batches[reason] += 1
    this.#batches += 1
    this.#items += size
  }

  /** So many items have waited so long. */
  waited(milliseconds: number, items: number): void {
    this.#wait.record(milliseconds * 1e3, items)
  }

  ran(milliseconds: number): void {
    this.#run.record(milliseconds * 1e3, 1)
  }

  countRejected({ kind, reason }: Rejection): void {
    if (kind !== 'engine') this.rejected[kind] += 1
    else if (reason instanceof BatcherError) this.rejected[reason.code] += 1
  }

  /**
   * Seconds in which `queued` items will have run, from what batches took so far; 1 before the first.
   */
  secondsToRun(queued: number, maxConcurrency: number): number {
    if (this.#run.count === 0) return 1
    const batches = queued / Math.max(1, this.#items / this.#batches)
    return Math.max(1, Math.ceil((batches * this.#run.mean) / maxConcurrency / 1e6))
  }

  read(
    now: Pick<BatcherStats, 'queued' | 'oldest' | 'duplicates' | 'inFlight' | 'closing'>,
  ): BatcherStats {
    return {
      ...now,
      submitted: this.submitted,
      fulfilled: this.fulfilled,
      rejected: { ...this.rejected },
      batches: { ...this.batches },
      meanBatchSize: this.#batches === 0 ? 0 : this.#items / this.#batches,
      wait: quantiles(this.#wait),
      run: quantiles(this.#run),
    }
  }
}

function quantiles(histogram: Histogram): Quantiles {
  return {
    mean: histogram.mean / 1e3,
    p50: histogram.quantile(0.5) / 1e3,
    p90: histogram.quantile(0.9) / 1e3,
    p99: histogram.quantile(0.99) / 1e3,
    max: histogram.max / 1e3,
  }
}
