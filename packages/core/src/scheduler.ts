import { runNeutral } from '@heddle/context'
import { clock } from '@heddle/context/engine'

import type { LingerPolicy } from './linger/policy.ts'
import type { ResolvedOptions } from './options.ts'
import type { Partition, Queue } from './queue.ts'
import type { StartReason } from './types.ts'

/** Calls `start` later, once. It is itself called on neutral ground, and must not throw. */
export type Schedule = (start: () => void) => void

/** `setImmediate` comes after the event loop has read every socket that had something. */
const afterSockets: Schedule = (start) => clock.setImmediate(start)

/** After the promise jobs that are queued already, so that `await` on something settled still joins. */
export const afterPromises: Schedule = (start) => {
  queueMicrotask(() => process.nextTick(start))
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
  /** Starts a batch of the partition's items, and takes at least one out of the queue. */
  start(partition: Partition<I, O>, reason: StartReason): void
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
  readonly #policy: LingerPolicy | undefined
  readonly #schedule: Schedule
  /** Since when a slot has been free without a break, ms on the `performance.now()` clock. */
  #slotFreeSince = 0
  #hadFreeSlot = true
  #turnRequested = false
  #draining = false

  constructor(
    options: ResolvedOptions<I, O>,
    queue: Queue<I, O>,
    starter: Starter<I, O>,
    policy: LingerPolicy | undefined,
    { schedule = options.coalesce === 'immediate' ? afterSockets : afterPromises }: Internals,
  ) {
    this.#options = options
    this.#queue = queue
    this.#starter = starter
    this.#policy = policy
    this.#schedule = schedule
  }

  get hasFreeSlot(): boolean {
    return this.#starter.inFlight < this.#options.maxConcurrency
  }

  /** An item has joined, or a slot or a time has come: looks again at the end of this turn. */
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
  slotsChanged(): void {
    const isFree = this.hasFreeSlot
    if (isFree && !this.#hadFreeSlot) this.#slotFreeSince = clock.now()
    this.#hadFreeSlot = isFree
    // The batch starts a turn later, so callers that come back at once can join it.
    this.wake()
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
    const reason = this.#readiness(next)
    // While the next one waits for more, a full batch of others need not.
    if (reason !== undefined) this.#starter.start(next, reason)
    else if (full !== undefined) this.#starter.start(full, 'full')
    else return false
    return true
  }

  /** Why a batch of this partition may start now; `undefined` if it had better wait. */
  #readiness(partition: Partition<I, O>): StartReason | undefined {
    const { linger, maxWait, minBatchSize, maxBatchSize } = this.#options
    if (this.#draining) return 'drain'
    const isTooSmall = partition.size < minBatchSize && this.#starter.inFlight > 0
    if (linger === 0 && !isTooSmall && this.#policy === undefined) return 'idle'
    if (partition.size >= maxBatchSize) return 'full'
    const now = clock.now()
    const waited = partition.waitingSince + maxWait
    const lingered = this.#lingersUntil(partition, now)
    if (!isTooSmall && now >= lingered) return linger === 0 ? 'idle' : 'linger'
    if (now >= waited) return 'maxWait'
    this.#starter.wakeAt(isTooSmall ? waited : Math.min(lingered, waited))
    return undefined
  }

  /** When the partition has waited for more for long enough. */
  #lingersUntil(partition: Partition<I, O>, now: number): number {
    if (this.#policy === undefined) {
      // A test's clock may have been ahead of this one.
      if (this.#slotFreeSince > now) this.#slotFreeSince = now
      return Math.max(this.#slotFreeSince, partition.waitingSince) + this.#options.linger
    }
    // While one partition waits for more, the others would have to wait, too.
    if (this.#queue.partitions > 1) return now
    return now + this.#policy.hold(now, partition.size, this.#starter.inFlight)
  }
}
