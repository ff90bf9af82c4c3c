import { runNeutral } from '@heddle/context'
import { clock } from '@heddle/context/engine'

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

/**
 * Decides when a batch starts, and never binds an item before: while all slots are taken, items wait
 * in the queue, where they can still leave or join a fuller batch.
 */
export class Scheduler<I, O> {
  readonly #options: ResolvedOptions<I, O>
  readonly #queue: Queue<I, O>
  /** Starts a batch of the partition's first items, and takes at least one out of the queue. */
  readonly #start: (partition: Partition<I, O>, reason: StartReason) => void
  /** Asks for a `wake` at this time. */
  readonly #wakeAt: (time: number) => void
  readonly #schedule: Schedule
  #inFlight = 0
  /** Since when a slot has been free without a break, ms on the `performance.now()` clock. */
  #slotFreeSince = 0
  #turnRequested = false
  #draining = false

  constructor(
    options: ResolvedOptions<I, O>,
    queue: Queue<I, O>,
    start: (partition: Partition<I, O>, reason: StartReason) => void,
    wakeAt: (time: number) => void,
    schedule?: Schedule,
  ) {
    this.#options = options
    this.#queue = queue
    this.#start = start
    this.#wakeAt = wakeAt
    this.#schedule = schedule ?? (options.coalesce === 'immediate' ? afterSockets : afterPromises)
  }

  get inFlight(): number {
    return this.#inFlight
  }

  get hasFreeSlot(): boolean {
    return this.#inFlight < this.#options.maxConcurrency
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

  slotTaken(): void {
    this.#inFlight += 1
  }

  slotFreed(): void {
    if (!this.hasFreeSlot) this.#slotFreeSince = clock.now()
    this.#inFlight -= 1
    // The batch starts a turn later, so callers that come back at once can join it.
    this.wake()
  }

  readonly #requestTurn = (): void => this.#schedule(this.#turn)

  readonly #turn = (): void => {
    this.#turnRequested = false
    while (this.hasFreeSlot) {
      const { oldest, full } = this.#queue
      if (oldest === undefined) return
      const reason = this.#readiness(oldest)
      // While the oldest lingers, a full batch of others need not.
      if (reason !== undefined) this.#start(oldest, reason)
      else if (full !== undefined) this.#start(full, 'full')
      else return
    }
  }

  /** Why a batch of this partition may start now; `undefined` if it had better wait. */
  #readiness(partition: Partition<I, O>): StartReason | undefined {
    const { linger, maxWait } = this.#options
    if (this.#draining) return 'drain'
    if (linger === 0) return 'idle'
    const { submittedAt } = partition.first
    const lingered = Math.max(this.#slotFreeSince, submittedAt) + linger
    const waited = submittedAt + maxWait
    const now = clock.now()
    if (now >= lingered) return 'linger'
    if (now >= waited) return 'maxWait'
    this.#wakeAt(Math.min(lingered, waited))
    return undefined
  }
}
