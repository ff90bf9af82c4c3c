import { runNeutral } from '@heddle/context'
import { clock, platform } from '@heddle/context/engine'

import { AutoLinger } from './linger/auto-linger.ts'
import type { Running } from './linger/running.ts'
import { SHORTEST_TIMER, ShortWait } from './linger/short-wait.ts'
import type { ResolvedOptions } from './options.ts'
import type { Partition, Queue } from './queue.ts'
import type { StartReason } from './types.ts'

const { nextTick, queueMicrotask } = platform

/** Calls `start` later, once. It is itself called on neutral ground, and must not throw. */
export type Schedule = (start: () => void) => void

/** `setImmediate` comes after the event loop has read every socket that had something. */
const afterSockets: Schedule = (start) => clock.setImmediate(start)

/** After the promise jobs that are queued already, so that `await` on something settled still joins. */
export const afterPromises: Schedule = (start) => {
  queueMicrotask(() => nextTick(start))
}

/** What only this package's own batchers may choose. */
export interface Internals {
  /** When a batch starts that need not wait, in the place of `coalesce`. */
  readonly schedule?: Schedule
}

/** What the scheduler asks for. */
export interface Starter<I, O> {
  /** Batches in flight. */
  readonly inFlight: number
  /** The one of them that has run longest. */
  readonly oldest: Running | undefined
  /** Starts a batch of the partition's items, and takes at least one out of the queue. */
  start(partition: Partition<I, O>, reason: StartReason, now: number): void
  /** Asks for a `wake` at this time. */
  wakeAt(time: number): void
}

/**
 * Decides when a batch starts, and never binds an item before: while all slots are taken, items wait
 * in the queue, where they can still leave or join a fuller batch.
 */
export class Scheduler<I, O> {
  readonly #options: ResolvedOptions<I, O>
  readonly #queue: Queue<I, O>
  readonly #starter: Starter<I, O>
  readonly #schedule: Schedule
  readonly #shortWait = new ShortWait(() => this.wake())
  #auto: AutoLinger | undefined
  /** Since when a slot has been free without a break, ms on the `performance.now()` clock. */
  #slotFreeSince = 0
  #hadFreeSlot = true
  /** The next batch has waited for more. */
  #hasLingered = false
  #turnRequested = false
  /** When it last looked, ms on the `performance.now()` clock. */
  #lookedAt = 0
  #draining = false

  constructor(
    options: ResolvedOptions<I, O>,
    queue: Queue<I, O>,
    starter: Starter<I, O>,
    { schedule = options.coalesce === 'immediate' ? afterSockets : afterPromises }: Internals,
  ) {
    this.#options = options
    this.#queue = queue
    this.#starter = starter
    this.#schedule = schedule
  }

  get hasFreeSlot(): boolean {
    return this.#starter.inFlight < this.#options.maxConcurrency
  }

  /** An item has joined the queue. */
  joined(time: number): void {
    this.#policy?.arrived(time, this.#queue.size)
    this.wake()
  }

  /** A batch has started. */
  started(time: number): void {
    this.#hasLingered = false
    this.#shortWait.clear()
    this.#policy?.started(time)
    this.slotsChanged(time)
  }

  /** A batch function has settled; its slot is free when `slotsChanged` says so. */
  finished(time: number, batch: Running, isTypical: boolean): void {
    this.#policy?.finished(time, batch, isTypical)
  }

  /** A slot or a time has come: looks again at the end of this turn. */
  wake(): void {
    if (this.#turnRequested || this.#queue.size === 0 || !this.hasFreeSlot) return
    this.#turnRequested = true
    runNeutral(this.#requestTurn)
  }

  /** Nothing lingers from here on, or again. */
  drain(draining: boolean): void {
    this.#draining = draining
    this.wake()
  }

  /** A slot has been taken or freed, or there are more or fewer of them. */
  slotsChanged(time: number): void {
    const isFree = this.hasFreeSlot
    if (isFree && !this.#hadFreeSlot) this.#slotFreeSince = time
    this.#hadFreeSlot = isFree
    // The batch starts a turn later, so callers that come back at once can join it.
    this.wake()
  }

  /**
   * Starts what is full at once. It would gain nothing by the turn to come, before which everybody goes on
   * whom the last batch has answered.
   */
  startFull(time: number): void {
    const { maxBatchSize } = this.#options
    for (let { next } = this.#queue; next && this.hasFreeSlot; { next } = this.#queue) {
      const reason = next.size < maxBatchSize ? undefined : this.#readiness(next, time)
      if (reason === undefined) return
      this.#starter.start(next, reason, time)
    }
  }

  /** The options have changed. */
  reconfigured(time: number): void {
    // It would miss what happens meanwhile.
    if (this.#policy === undefined) this.#auto = undefined
    this.slotsChanged(time)
  }

  get #policy(): AutoLinger | undefined {
    const { linger, maxConcurrency } = this.#options
    // Where a slot is always free, waiting for one is never worth it.
    if (linger !== 'auto' || maxConcurrency === Number.POSITIVE_INFINITY) return undefined
    return (this.#auto ??= new AutoLinger(this.#options))
  }

  readonly #requestTurn = (): void => this.#schedule(this.#turn)

  readonly #turn = (): void => {
    while (this.hasFreeSlot && this.#startNext());
    // Last, so that what starts a batch does not ask for another turn.
    this.#turnRequested = false
  }

  /** @returns whether a batch has started */
  #startNext(): boolean {
    const { next, full } = this.#queue
    if (next === undefined) return false
    const now = clock.now()
    if (now < this.#lookedAt) this.#clockWasSetBack(now)
    this.#lookedAt = now
    const reason = this.#readiness(next, now)
    // While the next one waits for more, a full batch of others need not.
    if (reason !== undefined) this.#starter.start(next, reason, now)
    else if (full !== undefined) this.#starter.start(full, 'full', now)
    else return false
    return true
  }

  /** Why a batch of this partition may start now; `undefined` if it had better wait. */
  #readiness(partition: Partition<I, O>, now: number): StartReason | undefined {
    const { linger, maxWait, minBatchSize, maxBatchSize } = this.#options
    if (this.#draining) return 'drain'
    const isTooSmall = partition.size < minBatchSize && this.#starter.inFlight > 0
    if (linger === 0 && !isTooSmall) return 'idle'
    if (partition.size >= maxBatchSize) return 'full'
    const { waitingSince } = partition
    // Nobody knows for how long: it was submitted on a test's clock, which has been put away.
    if (waitingSince > now) return 'maxWait'
    const waited = waitingSince + maxWait
    const lingered = this.#lingersUntil(partition, now)
    if (!isTooSmall && now >= lingered) return this.#hasLingered ? 'linger' : 'idle'
    if (now >= waited) return 'maxWait'
    this.#wakeAt(isTooSmall ? waited : Math.min(lingered, waited), now)
    return undefined
  }

  /** When the partition has waited for more for long enough. */
  #lingersUntil(partition: Partition<I, O>, now: number): number {
    const { linger } = this.#options
    if (linger === 'auto') return this.#waitsUntil(partition, now)
    this.#hasLingered = linger > 0
    return Math.max(this.#slotFreeSince, partition.waitingSince) + linger
  }

  #waitsUntil({ size }: Partition<I, O>, now: number): number {
    const { inFlight, oldest } = this.#starter
    // While one partition waits for more, the others would have to wait, too.
    const isAlone = this.#queue.partitions === 1
    const hold = isAlone ? (this.#policy?.hold(now, size, inFlight, oldest) ?? 0) : 0
    if (hold > 0) this.#hasLingered = true
    return now + hold
  }

  /** A test has put its clock away: times that were read on it are ahead. */
  #clockWasSetBack(now: number): void {
    this.#slotFreeSince = Math.min(this.#slotFreeSince, now)
    this.#auto = undefined
  }

  #wakeAt(time: number, now: number): void {
    if (this.#options.linger === 'auto' && time - now < SHORTEST_TIMER) this.#shortWait.set(time)
    else this.#starter.wakeAt(time)
  }
}
