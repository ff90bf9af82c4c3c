import { clock } from '@heddle/context/engine'

import type { End, Execution } from './execution.ts'
import { form } from './formation.ts'
import type { Item } from './item.ts'
import type { Running } from './linger/running.ts'
import type { ResolvedOptions } from './options.ts'
import type { Partition, Queue } from './queue.ts'
import { type Internals, Scheduler, type Starter } from './scheduler.ts'
import { ServiceTime } from './service-time.ts'
import { type Books, Settlement } from './settlement.ts'
import { waitersOf } from './sharing.ts'
import { Slots, type SlotsOwner } from './slots.ts'
import type { Ledger } from './stats.ts'
import type { StartReason } from './types.ts'

/** The share of its run time after which a batch function that has not returned works in this thread. */
const BLOCKING = 0.1

/** Told of what a dispatch does: the engine. */
export interface DispatchOwner<I, O> extends Books<I, O> {
  readonly detectsLeaks: boolean
  /** A batch of these items starts: its scope is opened next. */
  started(items: readonly Item<I, O>[]): void
  /** It is too late for this caller. */
  expire(item: Item<I, O>): void
  /** Items have left the queue, or a slot is free. */
  rest(): void
  wakeAt(time: number): void
}

/** From the queue into a slot: starts batches when it is time to, and learns how long they take. */
export class Dispatch<I, O> implements SlotsOwner<I, O>, Starter<I, O> {
  readonly options: ResolvedOptions<I, O>
  readonly detectsLeaks: boolean
  readonly slots: Slots<I, O>
  readonly settlement: Settlement<I, O>
  readonly #owner: DispatchOwner<I, O>
  readonly #queue: Queue<I, O>
  readonly #ledger: Ledger
  readonly #scheduler: Scheduler<I, O>
  readonly #serviceTime = new ServiceTime()
  /** ms that the last batch function took, under load, until it returned its promise. */
  #blocked = 0
  /** Whether batch functions work in this thread, so that starting one keeps everybody waiting. */
  #isBlocking = false

  constructor(
    owner: DispatchOwner<I, O>,
    queue: Queue<I, O>,
    ledger: Ledger,
    internals: Internals,
  ) {
    this.#owner = owner
    this.options = owner.options
    this.detectsLeaks = owner.detectsLeaks
    this.settlement = new Settlement(owner)
    this.slots = new Slots(this)
    this.#queue = queue
    this.#ledger = ledger
    this.#scheduler = new Scheduler(owner.options, queue, this, internals)
  }

  get inFlight(): number {
    return this.slots.inFlight
  }

  get oldest(): Running | undefined {
    return this.slots.oldest
  }

  get hasFreeSlot(): boolean {
    return this.#scheduler.hasFreeSlot
  }

  /** An item has been submitted. */
  joined({ submittedAt, partition }: Item<I, O>): void {
    // One that shares the work of another has no place in the queue.
    if (partition) this.#scheduler.joined(submittedAt)
    else this.#scheduler.wake()
  }

  /** A time has come. */
  wake(): void {
    this.#scheduler.wake()
  }

  /** Nothing lingers from here on, or again. */
  drain(draining: boolean): void {
    this.#scheduler.drain(draining)
  }

  /** The options have changed. */
  reconfigured(): void {
    this.#queue.reconfigured()
    this.#scheduler.reconfigured(clock.now())
  }

  start(partition: Partition<I, O>, why: StartReason, now: number): void {
    const { items, late, reason } = form(
      this.#queue,
      partition,
      this.options,
      why,
      now,
      this.#serviceTime,
    )
    if (items.length > 0) this.slots.start(items, partition, reason, now)
    if (this.#queue.size > 0) this.#blocked = clock.now() - now
    // Last, since whoever is told of it may end others, which must be bound to the batch by then.
    for (const item of late) for (const waiter of waitersOf(item)) this.#owner.expire(waiter)
    this.#owner.rest()
  }

  started({ items, reason, startedAt }: Execution<I, O>): void {
    this.#owner.started(items)
    this.#noteWaits(items, startedAt)
    this.#ledger.started(reason, items.length)
    this.#scheduler.started(startedAt)
  }

  ended(execution: Execution<I, O>, how: End, now: number): void {
    const duration = now - execution.startedAt
    this.#ledger.ran(duration)
    this.#isBlocking = this.#blocked > BLOCKING * duration
    // One that was given up, or failed, says nothing of how long work takes.
    const isTypical = how === 'returned' && !execution.isAborted
    this.#scheduler.finished(now, execution, isTypical)
    if (isTypical) this.#serviceTime.observe(execution.cost, duration)
  }

  slotFreed(now: number): void {
    this.#scheduler.slotsChanged(now)
    if (!this.#isBlocking) this.#scheduler.startFull(now)
    this.#owner.rest()
  }

  /** Those that were submitted together have waited equally long. */
  #noteWaits(items: readonly Item<I, O>[], startedAt: number): void {
    let since = Number.NaN
    let alike = 0
    for (const { submittedAt } of items) {
      if (submittedAt !== since) {
        if (alike > 0) this.#ledger.waited(startedAt - since, alike)
        since = submittedAt
        alike = 0
      }
      alike += 1
    }
    this.#ledger.waited(startedAt - since, alike)
  }

  wakeAt(time: number): void {
    this.#owner.wakeAt(time)
  }
}
