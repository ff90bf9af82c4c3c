import { runNeutral } from '@heddle/context'
import { clock, isDevelopment } from '@heddle/context/engine'

import { admit, type Gate } from './admission.ts'
import { Alarm } from './alarm.ts'
import { BatcherError } from './errors.ts'
import { Execution, type ExecutionOwner } from './execution.ts'
import { form } from './formation.ts'
import { Heap } from './heap.ts'
import { Item, type ItemOwner, type Outcome, type Rejection } from './item.ts'
import type { ResolvedOptions } from './options.ts'
import { type Partition, Queue } from './queue.ts'
import { noteSubmit, reportSettled } from './report.ts'
import { type Schedule, Scheduler } from './scheduler.ts'
import { Ledger } from './stats.ts'
import type { Intake } from './submit-all.ts'
import type { BatcherStats, StartReason, SubmitOptions } from './types.ts'
import { Waiters } from './waiters.ts'

/** What only this package's own batchers may choose. */
export interface EngineInternals {
  /** When a batch starts that need not wait, in the place of `coalesce`. */
  readonly schedule?: Schedule
}

/** The way of an item through a batcher: admitted, queued, started with others, settled. */
export class Engine<I, O> implements ExecutionOwner<I, O>, Gate, Intake<I, O>, ItemOwner<I, O> {
  readonly options: ResolvedOptions<I, O>
  // Once: reading the environment for every batch would cost more than starting it.
  readonly detectsLeaks: boolean = isDevelopment()
  closed = false
  readonly #ledger = new Ledger()
  readonly #queue: Queue<I, O>
  readonly #scheduler: Scheduler<I, O>
  readonly #deadlines = new Heap<Item<I, O>>((a, b) => (a.deadline ?? 0) < (b.deadline ?? 0))
  readonly #alarm = new Alarm(() => this.#ring())
  readonly #executions = new Set<Execution<I, O>>()
  readonly #roomWaiters = new Waiters()
  readonly #idleWaiters = new Waiters()
  #batches = 0
  /** How many `item.run` calls of its batches are on the stack. */
  #entered = 0

  constructor(options: ResolvedOptions<I, O>, internals: EngineInternals = {}) {
    this.options = options
    this.#queue = new Queue(options.maxBatchSize, options.maxBatchCost)
    this.#scheduler = new Scheduler(
      options,
      this.#queue,
      (partition, reason) => this.#start(partition, reason),
      (time) => this.#alarm.set(time),
      internals.schedule,
    )
  }

  get queueSize(): number {
    return this.#queue.size
  }

  get hasRoom(): boolean {
    return this.#queue.size < this.options.maxQueueSize
  }

  get hasFreeSlot(): boolean {
    return this.#scheduler.hasFreeSlot
  }

  get enteredFromBatch(): boolean {
    return this.#entered > 0
  }

  readonly retryAfter = (): number =>
    this.#ledger.secondsToRun(this.#queue.size, this.options.maxConcurrency)

  submit(input: I, options: SubmitOptions | undefined): Promise<O> {
    const item = new Item(this, input, options)
    this.#ledger.submitted += 1
    noteSubmit(item, this.options.name, this.#queue.size)
    const place = admit(item, this.options, this, this)
    if ('status' in place) {
      this.settle(item, place)
      item.finish()
      return item.promise
    }
    this.#queue.add(item, place.partition, place.label)
    item.listen()
    if (item.deadline !== undefined) {
      this.#deadlines.add(item)
      this.#alarm.set(item.deadline)
    }
    this.#scheduler.wake()
    return item.promise
  }

  /** The caller's signal or scope was aborted. */
  abandon(item: Item<I, O>, reason: Error): void {
    this.#giveUp(item, { status: 'rejected', reason, kind: 'aborted' })
  }

  enter<R>(fn: () => R): R {
    this.#entered += 1
    try {
      return fn()
    } finally {
      this.#entered -= 1
    }
  }

  settle(item: Item<I, O>, outcome: Outcome<O>): void {
    this.#deadlines.remove(item)
    this.#ledger.settled(outcome)
    // First, so that nothing that is told of it can keep the caller waiting.
    item.settle(outcome)
    reportSettled(item, this.options.name, outcome)
  }

  finished(execution: Execution<I, O>): void {
    this.#executions.delete(execution)
    this.#ledger.ran(clock.now() - execution.startedAt)
    for (const item of execution.items) item.finish()
    this.#scheduler.slotFreed()
    this.#rest()
  }

  /** Resolves when an item has left the queue. */
  room(): Promise<void> {
    return this.#roomWaiters.wait()
  }

  /** Resolves when nothing is queued or in flight; until then nothing lingers. */
  drain(): Promise<void> {
    if (this.#isIdle) return Promise.resolve()
    this.#scheduler.drain(true)
    return this.#idleWaiters.wait()
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
    const outcome = (): Rejection => ({
      status: 'rejected',
      reason: this.#error('BATCHER_CLOSED', 'it was closed before this item had settled'),
      kind: 'engine',
    })
    for (let { oldest } = this.#queue; oldest; oldest = this.#queue.oldest) {
      this.#giveUp(oldest.first, outcome())
    }
    for (const execution of this.#executions) {
      for (const item of execution.items) this.#giveUp(item, outcome())
    }
    this.#notifyIdle()
  }

  stats(): BatcherStats {
    return this.#ledger.read({ queued: this.#queue.size, inFlight: this.#scheduler.inFlight })
  }

  get #isIdle(): boolean {
    return this.#queue.size === 0 && this.#scheduler.inFlight === 0
  }

  /** Binds the partition's first items to a batch and starts it; whoever is too late is told so. */
  #start(partition: Partition<I, O>, why: StartReason): void {
    const now = clock.now()
    const { items, expired, reason } = form(partition, this.options, why, now)
    for (const item of items) this.#queue.remove(item)
    if (items.length > 0) this.#execute(items, partition.label, reason, now)
    // Last, since whoever is told of it may end others, which must be bound to the batch by then.
    for (const item of expired) this.#expire(item)
    this.#rest()
  }

  #execute(items: readonly Item<I, O>[], label: string, reason: StartReason, now: number): void {
    const id = `${this.options.name}#${(this.#batches += 1)}`
    const execution = new Execution(this, id, items, label, reason, now)
    for (const item of items) {
      item.execution = execution
      this.#ledger.waited(now - item.submittedAt)
    }
    this.#executions.add(execution)
    this.#ledger.started(reason, items.length)
    this.#scheduler.slotTaken()
    runNeutral(() => execution.run())
  }

  /** The alarm: a deadline has passed, or lingering is over. */
  #ring(): void {
    const now = clock.now()
    for (let { first } = this.#deadlines; first; first = this.#deadlines.first) {
      const { deadline = 0 } = first
      if (deadline > now) {
        this.#alarm.set(deadline)
        break
      }
      this.#expire(first)
    }
    this.#scheduler.wake()
  }

  #expire(item: Item<I, O>): void {
    const waited = (clock.now() - item.submittedAt).toFixed(1)
    const where = item.execution ? 'its batch was running' : 'it was waiting for a batch'
    const reason = this.#error(
      'DEADLINE_EXCEEDED',
      `the deadline passed ${waited} ms after the submit, while ${where}`,
    )
    this.#giveUp(item, { status: 'rejected', reason, kind: 'engine' })
  }

  /** Ends an item early, wherever it is. Its slot, if it has one, is free when the batch function settles. */
  #giveUp(item: Item<I, O>, outcome: Rejection): void {
    if (item.settled) return
    const isQueued = item.partition !== undefined
    if (isQueued) this.#queue.remove(item)
    // A caller that is gone may not look at its promise any more; that is no unhandled rejection.
    item.promise.catch(ignore)
    this.settle(item, outcome)
    if (isQueued) {
      item.finish()
      this.#rest()
    } else {
      item.leave(outcome.reason)
    }
  }

  /** Something has left: tells whoever waits for that. */
  #rest(): void {
    if (this.hasRoom) this.#roomWaiters.notify()
    if (this.#queue.size === 0 && this.#deadlines.size === 0) this.#alarm.clear()
    if (this.#isIdle) this.#notifyIdle()
  }

  #notifyIdle(): void {
    if (!this.closed) this.#scheduler.drain(false)
    this.#idleWaiters.notify()
  }

  #error(code: 'DEADLINE_EXCEEDED' | 'BATCHER_CLOSED', message: string): BatcherError {
    const { name } = this.options
    return new BatcherError(code, name, `Batcher \`${name}\`: ${message}`)
  }
}

function ignore(): void {
  // The rejection is there for whoever looks.
}
