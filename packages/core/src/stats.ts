import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'

import { BatcherError, type BatcherErrorCode } from './errors.ts'
import type { Outcome } from './item.ts'
import type { BatcherStats, Quantiles, StartReason } from './types.ts'

/** Histograms hold whole numbers of µs, up to an hour. */
const MAX_MICROSECONDS = 3_600_000_000

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
  readonly #wait = newHistogram()
  readonly #run = newHistogram()

  started(reason: StartReason, size: number): void {
    this.batches[reason] += 1
    this.#batches += 1
    this.#items += size
  }

  waited(milliseconds: number): void {
    this.#wait.record(microseconds(milliseconds))
  }

  ran(milliseconds: number): void {
    this.#run.record(microseconds(milliseconds))
  }

  settled(outcome: Outcome<unknown>): void {
    if (outcome.status === 'fulfilled') this.fulfilled += 1
    else if (outcome.kind !== 'engine') this.rejected[outcome.kind] += 1
    else if (outcome.reason instanceof BatcherError) this.rejected[outcome.reason.code] += 1
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

function newHistogram(): RecordableHistogram {
  // Two figures: 1 % is more than enough here, and three would take eight times the memory.
  return createHistogram({ lowest: 1, highest: MAX_MICROSECONDS, figures: 2 })
}

function microseconds(milliseconds: number): number {
  return Math.min(Math.max(Math.round(milliseconds * 1e3), 1), MAX_MICROSECONDS)
}

function quantiles(histogram: RecordableHistogram): Quantiles {
  if (histogram.count === 0) return { mean: 0, p50: 0, p90: 0, p99: 0, max: 0 }
  return {
    mean: histogram.mean / 1e3,
    p50: histogram.percentile(50) / 1e3,
    p90: histogram.percentile(90) / 1e3,
    p99: histogram.percentile(99) / 1e3,
    max: histogram.max / 1e3,
  }
}
