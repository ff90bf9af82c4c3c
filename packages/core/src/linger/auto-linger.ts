import { ServiceTime } from '../service-time.ts'
import { BusyRate } from './busy-rate.ts'
import { Cohort } from './cohort.ts'
import { GapTable } from './gap-table.ts'
import type { Running } from './running.ts'

/** What the policy reads of a batcher's options, whenever it needs it. */
export interface SlotOptions {
  readonly maxConcurrency: number
  readonly maxBatchSize: number
}

/**
 * Waits for an item that is likely enough to come, soon enough, that all callers together gain by it;
 * and for clients that come back together. It learns from the arrivals and the run times of batches:
 * S(n) = τ₀ + α·n.
 */
export class AutoLinger {
  readonly #options: SlotOptions
  readonly #runTime = new ServiceTime()
  readonly #gaps = new GapTable()
  readonly #cohort = new Cohort()
  readonly #rate = new BusyRate()

  constructor(options: SlotOptions) {
    this.#options = options
  }

  /** An item has joined the queue, of which `waiting` wait now; this and all times are ms. */
  arrived(now: number, waiting: number): void {
    this.#rate.arrived()
    this.#gaps.arrived(now, waiting)
    this.#cohort.arrived(now, waiting >= this.#options.maxBatchSize)
  }

  /** A batch has started. */
  started(now: number): void {
    this.#rate.started(now)
  }

  /**
   * A batch function has settled, and so have its callers.
   *
   * @param isTypical - whether other batches will take about as long
   */
  finished(now: number, { startedAt, size }: Running, isTypical: boolean): void {
    this.#rate.finished(now)
    this.#gaps.completed(now)
    if (isTypical) this.#runTime.observe(size, now - startedAt)
    this.#cohort.completed(now, size, this.#runTime.estimate(0), this.#runTime.perCost)
  }

  /**
   * ms from now that the batch had better wait, 0 to start now. To be asked when a slot is free, an item
   * waits and the batch is not full.
   *
   * @param inFlight - how many batches run
   * @param oldest - the one of them that has run longest
   */
  hold(now: number, waiting: number, inFlight: number, oldest: Running | undefined): number {
    // 0 until enough is known.
    const fixed = this.#runTime.estimate(0)
    if (fixed === 0) return 0
    const hasOneSlot = this.#options.maxConcurrency === 1
    if (hasOneSlot) {
      const hold = this.#cohort.hold(now, waiting, fixed, this.#options.maxBatchSize)
      if (hold !== undefined) return hold
    }
    const gain = hasOneSlot
      ? fixed - this.#runTime.perCost * waiting
      : this.#gainWithSlots(now, waiting, inFlight, oldest)
    if (gain <= 0) return 0
    // A batch that starts later also ends later, for those who come while it runs: half of them would wait.
    const later = hasOneSlot ? (this.#rate.perMillisecond * this.#runTime.estimate(waiting)) / 2 : 0
    return this.#gaps.bestWait(now, gain, waiting + later, fixed)
  }

  /**
   * ms that all callers together gain if one more joins a batch while other slots may be free. Were it to
   * start now, the newcomer would have a slot when the first batch ends; or earlier, in a free one, but then
   * the next has to wait, so free slots share the time until then. The newcomer makes the batch longer by α
   * for everybody in it, and the one that it would have joined shorter.
   */
  #gainWithSlots(
    now: number,
    waiting: number,
    inFlight: number,
    oldest: Running | undefined,
  ): number {
    const perItem = this.#runTime.perCost
    let untilSlot = this.#runTime.estimate(waiting)
    if (oldest !== undefined) {
      const left = oldest.startedAt + this.#runTime.estimate(oldest.size) - now
      untilSlot = Math.min(untilSlot, Math.max(0, left))
    }
    const wait = untilSlot / Math.max(1, this.#options.maxConcurrency - inFlight)
    return wait + 2 * perItem * (this.#rate.perMillisecond * wait - waiting)
  }
}
