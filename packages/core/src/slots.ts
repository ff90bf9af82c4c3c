import { runNeutral } from '@heddle/context'
import { clock } from '@heddle/context/engine'

import { type End, Execution, type ExecutionOwner, type PartitionName } from './execution.ts'
import type { Item, Outcome } from './item.ts'
import type { ResolvedOptions } from './options.ts'
import { waitersOf } from './sharing.ts'
import type { StartReason } from './types.ts'

/** Told of what happens in the slots: the engine. */
export interface SlotsOwner<I, O> {
  readonly options: ResolvedOptions<I, O>
  readonly detectsLeaks: boolean
  settle(item: Item<I, O>, outcome: Outcome<O>): void
  started(execution: Execution<I, O>): void
  ended(execution: Execution<I, O>, how: End): void
  /** Asks for a `releaseAbandoned` at this time. */
  wakeAt(time: number): void
  slotFreed(): void
}

/** A place for one batch at a time, and for what a failed one has left to be run again. */
class Slot<I, O> {
  readonly rest: Item<I, O>[][] = []
}

/** The batches in flight. A slot is free again when its batch function has settled. */
export class Slots<I, O> implements ExecutionOwner<I, O> {
  readonly #owner: SlotsOwner<I, O>
  readonly #slots = new Map<Execution<I, O>, Slot<I, O>>()
  /** Batches that nobody waits for, by when they lose their slots; with `abortGrace`. */
  readonly #abandoned = new Map<Execution<I, O>, number>()
  #batches = 0

  constructor(owner: SlotsOwner<I, O>) {
    this.#owner = owner
  }

  get options(): ResolvedOptions<I, O> {
    return this.#owner.options
  }

  get detectsLeaks(): boolean {
    return this.#owner.detectsLeaks
  }

  get inFlight(): number {
    return this.#slots.size
  }

  /** The batch that has run longest. */
  get oldest(): Execution<I, O> | undefined {
    return this.#slots.keys().next().value
  }

  /** When the next abandoned batch loses its slot. */
  get nextRelease(): number | undefined {
    return this.#abandoned.values().next().value
  }

  start(items: Item<I, O>[], partition: PartitionName, reason: StartReason): void {
    this.#start(new Slot(), items, partition, reason)
  }

  /** Every item that has not settled, though its batch has started. */
  unsettled(): readonly Item<I, O>[] {
    return [...this.#slots.entries()]
      .flatMap(([{ items }, { rest }]) => [...items, ...rest.flat()])
      .flatMap((item) => waitersOf(item))
      .filter(({ settled }) => !settled)
  }

  settle(item: Item<I, O>, outcome: Outcome<O>): void {
    this.#owner.settle(item, outcome)
  }

  aborted(execution: Execution<I, O>): void {
    const { abortGrace } = this.options
    if (abortGrace === undefined) return
    const time = clock.now() + abortGrace
    this.#abandoned.set(execution, time)
    this.#owner.wakeAt(time)
  }

  releaseAbandoned(now: number): void {
    for (const [execution, time] of this.#abandoned) {
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
    const slot = this.#slots.get(execution)
    if (slot === undefined || wanted.length < 2) return false
    const middle = wanted.length >> 1
    // The last one is taken first, so that items are run again in their order.
    slot.rest.push(wanted.slice(middle), wanted.slice(0, middle))
    return true
  }

  finished(execution: Execution<I, O>, how: End): void {
    const slot = this.#slots.get(execution)
    this.#slots.delete(execution)
    this.#abandoned.delete(execution)
    for (const item of execution.items) if (!isWanted(item)) finishAll(item)
    this.#owner.ended(execution, how)
    if (slot === undefined || !this.#startRest(slot, execution)) this.#owner.slotFreed()
  }

  /** @returns whether something was left to be run again */
  #startRest(slot: Slot<I, O>, execution: Execution<I, O>): boolean {
    const { partition: label, partitionKey: key, reason } = execution
    for (let items = slot.rest.pop(); items; items = slot.rest.pop()) {
      for (const item of items) if (!isWanted(item)) finishAll(item)
      // Who had the place may have left it to another meanwhile.
      const wanted = items.filter(isWanted).map((item) => item.group?.entry ?? item)
      if (wanted.length === 0) continue
      this.#start(slot, wanted, { key, label }, reason)
      return true
    }
    return false
  }

  #start(
    slot: Slot<I, O>,
    items: Item<I, O>[],
    partition: PartitionName,
    reason: StartReason,
  ): void {
    const id = `${this.options.name}#${(this.#batches += 1)}`
    const execution = new Execution(this, id, items, partition, reason, clock.now())
    for (const item of items) bind(item, execution)
    this.#slots.set(execution, slot)
    this.#owner.started(execution)
    runNeutral(() => execution.run())
  }
}

function bind<I, O>(item: Item<I, O>, execution: Execution<I, O>): void {
  if (item.group === undefined) item.execution = execution
  else for (const waiter of item.group.members) waiter.execution = execution
}

/** Whether anybody still waits for it. */
function isWanted(item: Item<any, any>): boolean {
  return item.group === undefined ? !item.settled : item.group.isOpen
}

function finishAll(item: Item<any, any>): void {
  if (item.group === undefined) item.finish()
  else for (const waiter of item.group.members) waiter.finish()
}
