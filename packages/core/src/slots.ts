import { clock, realigned } from '@heddle/context/engine'

import { type End, Execution, type ExecutionOwner, type PartitionName } from './execution.ts'
import type { Item } from './item.ts'
import { Lane } from './lane.ts'
import type { ResolvedOptions } from './options.ts'
import type { Settlement } from './settlement.ts'
import { waitersOf } from './sharing.ts'
import type { StartReason } from './types.ts'

/** Told of what happens in the slots: the engine. */
export interface SlotsOwner<I, O> {
  readonly options: ResolvedOptions<I, O>
  readonly detectsLeaks: boolean
  readonly settlement: Settlement<I, O>
  started(execution: Execution<I, O>): void
  ended(execution: Execution<I, O>, how: End, now: number): void
  /** Asks for a `releaseAbandoned` at this time. */
  wakeAt(time: number): void
  slotFreed(now: number): void
}

/** The batches in flight. A slot is free again when its batch function has settled. */
export class Slots<I, O> implements ExecutionOwner<I, O> {
  readonly options: ResolvedOptions<I, O>
  readonly detectsLeaks: boolean
  readonly settlement: Settlement<I, O>
  readonly #owner: SlotsOwner<I, O>
  /** The one that has run longest is first. */
  readonly #running = new Lane<Execution<I, O>>()
  #inFlight = 0
  /** Batches that nobody waits for, by when they lose their slots; with `abortGrace`. */
  readonly #abandoned = new Map<Execution<I, O>, number>()
  #batches = 0

  constructor(owner: SlotsOwner<I, O>) {
    this.#owner = owner
    this.options = owner.options
    this.detectsLeaks = owner.detectsLeaks
    this.settlement = owner.settlement
  }

  get inFlight(): number {
    return this.#inFlight
  }

  /** The batch that has run longest. */
  get oldest(): Execution<I, O> | undefined {
    return this.#running.first
  }

  /** When the next abandoned batch loses its slot. */
  get nextRelease(): number | undefined {
    return this.#abandoned.size === 0 ? undefined : this.#abandoned.values().next().value
  }

  /**
   * Must be called on neutral ground.
   *
   * @param now - ms on the `performance.now()` clock
   */
  start(items: Item<I, O>[], partition: PartitionName, reason: StartReason, now: number): void {
    this.#start(items, partition, reason, now, undefined)
  }

  /** Every item that has not settled, though its batch has started. */
  unsettled(): readonly Item<I, O>[] {
    const items: Item<I, O>[] = []
    for (let execution = this.#running.first; execution; execution = execution.next) {
      items.push(...execution.items, ...(execution.rest?.flat() ?? []))
    }
    return items.flatMap((item) => waitersOf(item)).filter(({ settled }) => !settled)
  }

  aborted(execution: Execution<I, O>): void {
    const { abortGrace } = this.options
    if (abortGrace === undefined) return
    const time = clock.now() + abortGrace
    this.#abandoned.set(execution, time)
    this.#owner.wakeAt(time)
  }

  releaseAbandoned(now: number): void {
    for (const [execution, release] of this.#abandoned) {
      const time = realigned(release, execution.startedAt, now)
      if (time > now) {
        this.#owner.wakeAt(time)
        return
      }
      execution.abandon()
    }
  }

  retries(execution: Execution<I, O>): boolean {
    if (this.options.onFailure !== 'bisect' || execution.isAborted) return false
    const wanted = execution.items.filter(isWanted)
    if (wanted.length < 2) return false
    const middle = wanted.length >> 1
    // The last one is taken first, so that items are run again in their order.
    execution.rest ??= []
    execution.rest.push(wanted.slice(middle), wanted.slice(0, middle))
    return true
  }

  finished(execution: Execution<I, O>, how: End): void {
    this.#running.remove(execution)
    this.#inFlight -= 1
    if (this.#abandoned.size > 0) this.#abandoned.delete(execution)
    for (const item of execution.items) if (!isWanted(item)) finishAll(item)
    const now = clock.now()
    this.#owner.ended(execution, how, now)
    if (execution.rest === undefined || !this.#startRest(execution, execution.rest, now)) {
      this.#owner.slotFreed(now)
    }
  }

  /** @returns whether something was left to be run again */
  #startRest(execution: Execution<I, O>, rest: Item<I, O>[][], now: number): boolean {
    const { partition: label, partitionKey: key, reason } = execution
    for (let items = rest.pop(); items; items = rest.pop()) {
      for (const item of items) if (!isWanted(item)) finishAll(item)
      // Who had the place may have left it to another meanwhile.
      const wanted = items.filter(isWanted).map((item) => item.group?.entry ?? item)
      if (wanted.length === 0) continue
      this.#start(wanted, { key, label }, reason, now, rest)
      return true
    }
    return false
  }

  #start(
    items: Item<I, O>[],
    partition: PartitionName,
    reason: StartReason,
    now: number,
    rest: Item<I, O>[][] | undefined,
  ): void {
    const number = (this.#batches += 1)
    const execution = new Execution(this, number, items, partition, reason, now)
    execution.rest = rest
    this.#running.add(execution)
    this.#inFlight += 1
    this.#owner.started(execution)
    execution.run()
  }
}

/** Whether anybody still waits for it. */
function isWanted(item: Item<any, any>): boolean {
  return item.group === undefined ? !item.settled : item.group.isOpen
}

function finishAll(item: Item<any, any>): void {
  if (item.group === undefined) item.finish()
  else for (const waiter of item.group.members) waiter.finish()
}
