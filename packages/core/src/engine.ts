import { runNeutral } from '@heddle/context'
import {
  clock,
  installStoreGuard,
  isDevelopment,
  realigned,
  type Values,
} from '@heddle/context/engine'

import { admit, type Gate } from './admission.ts'
import { Alarm } from './alarm.ts'
import { Dispatch, type DispatchOwner } from './dispatch.ts'
import type { BatcherError } from './errors.ts'
import { closedEarly, deadlineExceeded } from './giving-up.ts'
import { Heap } from './heap.ts'
import { activeInstruments } from './instrument.ts'
import { Item, type ItemOwner, type Rejection } from './item.ts'
import { type Configuration, type ResolvedOptions, resolveOptions } from './options.ts'
import { precedes } from './priority.ts'
import { Queue } from './queue.ts'
import { isWatched, noteSubmit, reportSettled } from './report.ts'
import { type BatcherLevels, enrol } from './roster.ts'
import { assertConfiguration } from './rules.ts'
import type { Internals } from './scheduler.ts'
import { type Group, Sharing } from './sharing.ts'
import { Ledger } from './stats.ts'
import type { Intake } from './submit-all.ts'
import type { BatcherStats, SubmitOptions } from './types.ts'
import { isEnding, Refusals, refused } from './unobserved.ts'
import { Waiters } from './waiters.ts'

/** How many `item.run` calls of all batchers are on the stack. */
let enteredAnywhere = 0

/** Whether a batch of whichever batcher is on the stack, in a member's context. */
export function isEnteredFromBatch(): boolean {
  return enteredAnywhere > 0
}

/** The way of an item through a batcher: admitted, queued, started with others, settled. */
export class Engine<I, O> implements DispatchOwner<I, O>, Gate, Intake<I, O>, ItemOwner<I, O> {
  /** One object for the batcher's life: whoever holds it sees what `configure` changes. */
  readonly options: ResolvedOptions<I, O>
  // Once: reading the environment for every batch would cost more than starting it.
  readonly detectsLeaks: boolean = isDevelopment()
  closed = false
  readonly #ledger = new Ledger()
  readonly #queue: Queue<I, O>
  readonly #dispatch: Dispatch<I, O>
  readonly #sharing = new Sharing<I, O>()
  readonly #deadlines = new Heap<Item<I, O>>((a, b) => (a.deadline ?? 0) < (b.deadline ?? 0))
  readonly #alarm = new Alarm(() => this.#ring())
  readonly #refusals = new Refusals()
  readonly #roomWaiters = new Waiters()
  readonly #idleWaiters = new Waiters()
  /** How many `item.run` calls of its batches are on the stack. */
  #entered = 0

  constructor(options: ResolvedOptions<I, O>, internals: Internals = {}) {
    this.options = options
    this.#queue = new Queue(options)
    this.#dispatch = new Dispatch(this, this.#queue, this.#ledger, internals)
    enrol(this)
    installStoreGuard()
  }

  get waiting(): number {
    return this.#queue.size + this.#sharing.duplicates
  }

  get hasRoom(): boolean {
    return this.waiting < this.options.maxQueueSize
  }

  get hasFreeSlot(): boolean {
    return this.#dispatch.hasFreeSlot
  }

  get inFlight(): number {
    return this.#dispatch.inFlight
  }

  get enteredFromBatch(): boolean {
    return this.#entered > 0
  }

  readonly waitingOf = (tenant: string): number => this.#queue.sizeOf(tenant)

  readonly retryAfter = (): number =>
    this.#ledger.secondsToRun(this.#queue.size, this.options.maxConcurrency)

  submit(input: I, options: SubmitOptions | undefined): Promise<O> {
    return this.enqueue(input, options).promise
  }

  /**
   * @param attachment - what the batch function is to find with the item; see `BatchView`
   * @param values - what a batch may see of the caller, where somebody has taken it just now
   */
  enqueue(
    input: I,
    options: SubmitOptions | undefined,
    attachment?: unknown,
    values?: Values,
  ): Item<I, O> {
    const instruments = activeInstruments()
    // Exact where somebody is told of it, or a timeout counts from it.
    const isTold = options !== undefined || this.options.timeout !== undefined
    const submittedAt = isTold || instruments.length > 0 ? clock.now() : clock.shared()
    const item = new Item(this, input, options, submittedAt)
    if (attachment !== undefined) item.extend().attachment = attachment
    item.values = values
    this.#ledger.submitted += 1
    if (instruments.length > 0) {
      noteSubmit(item, instruments, this.options.name, this.#queue.size)
    }
    const place = admit(item, this.options, this, this.#dispatch.slots)
    if (place.status === 'rejected') {
      // Also where the app's own `cost` or `dedupeBy` threw: the item never reached the batch function.
      this.#fail(item, place, true)
      item.finish()
      this.#refusals.report(this.options.name, place)
      return item
    }
    const { partition, label, dedupeKey, isFromBatch } = place
    // A batch function that waited for an item in flight could be waiting for itself.
    const group =
      dedupeKey === undefined ? undefined : this.#sharing.find(dedupeKey, item, !isFromBatch)
    if (group) {
      this.#join(group, item)
    } else {
      if (dedupeKey !== undefined) this.#sharing.open(dedupeKey, item)
      this.#queue.add(item, partition, label)
    }
    item.listen()
    if (item.deadline !== undefined) {
      this.#deadlines.add(item)
      this.#alarm.set(item.deadline)
    }
    this.#dispatch.joined(item)
    return item
  }

  /** The caller's signal or scope was aborted. */
  abandon(item: Item<I, O>, reason: Error): void {
    this.#giveUp(item, { status: 'rejected', reason, kind: 'aborted' })
  }

  enter<R>(fn: () => R): R {
    this.#entered += 1
    enteredAnywhere += 1
    try {
      return fn()
    } finally {
      this.#entered -= 1
      enteredAnywhere -= 1
    }
  }

  exposed({ group, extras }: Item<I, O>): void {
    // Whoever wants to know has watched the item, so it has extras; no other item gets them for this.
    if (extras) extras.isExposed = true
    // What only this caller has cannot be compared: a result made with it is for those who wait already.
    if (group) this.#sharing.withdraw(group)
  }

  fulfil(item: Item<I, O>, value: O): void {
    this.#stopSharing(item)
    this.#deadlines.remove(item)
    this.#ledger.fulfilled += 1
    // First, so that nothing that is told of it can keep the caller waiting.
    item.fulfil(value)
    if (isWatched(item)) reportSettled(item, this.options.name, { status: 'fulfilled', value })
  }

  reject(item: Item<I, O>, rejection: Rejection): void {
    this.#stopSharing(item)
    this.#fail(item, rejection)
  }

  #fail(item: Item<I, O>, rejection: Rejection, isEnd = isEnding(rejection)): void {
    this.#deadlines.remove(item)
    this.#ledger.countRejected(rejection)
    if (isEnd) item.excuse()
    item.fail(rejection)
    if (isWatched(item)) reportSettled(item, this.options.name, rejection)
  }

  /** From here on equal submits are new work: this caller may make one when it goes on. */
  #stopSharing({ group }: Item<I, O>): void {
    if (group) this.#sharing.close(group)
  }

  started(items: readonly Item<I, O>[]): void {
    if (this.options.dedupeBy) this.#sharing.started(items)
  }

  wakeAt(time: number): void {
    this.#alarm.set(time)
  }

  /** Resolves when an item has left the queue. */
  room(): Promise<void> {
    return this.#roomWaiters.wait()
  }

  /** @throws BatcherError `INVALID_OPTION` */
  configure(patch: Configuration): void {
    assertConfiguration(this.options.name, patch)
    Object.assign(this.options, resolveOptions({ ...this.options, ...patch }))
    this.#dispatch.reconfigured()
    if (this.hasRoom) this.#roomWaiters.notify()
  }

  /** Resolves when nothing is queued or in flight; until then nothing lingers. */
  drain(): Promise<void> {
    if (this.#isIdle) return Promise.resolve()
    this.#dispatch.drain(true)
    return this.#idleWaiters.wait()
  }

  /** A call of the batcher's that is no submit is refused. */
  refuse(reason: BatcherError): Promise<never> {
    this.#refusals.report(this.options.name, { kind: 'engine', reason })
    return refused(reason)
  }

  /** Takes no new items and resolves when those it has have settled. */
  close(): Promise<void> {
    this.closed = true
    this.#roomWaiters.notify()
    return this.drain()
  }

  /** Like `closing`, but gives up what is left after `timeout` ms. */
  async closeWithin(timeout: number, closing: Promise<void>): Promise<void> {
    const timer = runNeutral(() => clock.setTimeout(() => this.#giveUpAll(), timeout))
    await closing
    clock.clearTimeout(timer)
  }

  /** Rejects everybody who still waits, whatever the batch functions do. */
  #giveUpAll(): void {
    const { name } = this.options
    const giveUp = (item: Item<I, O>): void =>
      this.#giveUp(item, { status: 'rejected', reason: closedEarly(name), kind: 'engine' })
    for (let item = this.#queue.next?.first; item; item = this.#queue.next?.first) giveUp(item)
    for (const item of this.#dispatch.slots.unsettled()) giveUp(item)
    this.#notifyIdle()
  }

  stats(): BatcherStats {
    const { waitingSince, size } = this.#queue
    return this.#ledger.read({
      queued: size,
      oldest: waitingSince === undefined ? 0 : clock.now() - waitingSince,
      duplicates: this.#sharing.duplicates,
      inFlight: this.inFlight,
      closing: this.closed,
    })
  }

  levels(): BatcherLevels {
    const { name, maxQueueSize } = this.options
    return { name, queued: this.waiting, maxQueueSize, inFlight: this.inFlight }
  }

  get #isIdle(): boolean {
    return this.#queue.size === 0 && this.inFlight === 0
  }

  #join(group: Group<I, O>, item: Item<I, O>): void {
    const { entry } = group
    this.#sharing.join(group, item)
    // The work goes as early as the first of its callers would on its own.
    if (entry.partition && precedes(item, entry)) this.#queue.advance(entry, item)
  }

  /** The alarm: a deadline has passed, lingering is over, or an abandoned batch has had its time. */
  #ring(): void {
    const now = clock.now()
    for (let { first } = this.#deadlines; first; first = this.#deadlines.first) {
      const deadline = realigned(first.deadline ?? 0, first.submittedAt, now)
      if (deadline > now) {
        this.#alarm.set(deadline)
        break
      }
      this.expire(first)
    }
    this.#dispatch.slots.releaseAbandoned(now)
    this.#dispatch.wake()
  }

  expire(item: Item<I, O>): void {
    const reason = deadlineExceeded(item, this.options.name, clock.now())
    this.#giveUp(item, { status: 'rejected', reason, kind: 'engine' })
  }

  /** Ends an item early, wherever it is. Its slot, if it has one, is free when the batch function settles. */
  #giveUp(item: Item<I, O>, outcome: Rejection): void {
    if (item.settled) return
    const heir = this.#sharing.leave(item)
    if (heir !== undefined) this.#inherit(item, heir)
    if (item.partition) this.#queue.remove(item)
    this.#fail(item, outcome)
    if (item.execution === undefined || heir !== undefined) {
      item.finish()
      // Others may have lingered long enough, and had only this one before them.
      this.#dispatch.wake()
      this.rest()
    } else {
      item.leave(outcome.reason)
    }
  }

  /** Somebody else waits for the same work: it stays, and takes the place if the item had it. */
  #inherit(item: Item<I, O>, heir: Item<I, O>): void {
    if (item.partition) this.#queue.replace(item, heir)
    else item.execution?.replace(item, heir)
  }

  /** Something has left: tells whoever waits for that. */
  rest(): void {
    if (this.hasRoom) this.#roomWaiters.notify()
    const nothingIsDue =
      this.#deadlines.size === 0 && this.#dispatch.slots.nextRelease === undefined
    if (this.#queue.size === 0 && nothingIsDue) this.#alarm.clear()
    if (this.#isIdle) this.#notifyIdle()
  }

  #notifyIdle(): void {
    if (!this.closed) this.#dispatch.drain(false)
    this.#idleWaiters.notify()
  }
}
