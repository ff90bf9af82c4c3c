import { type ContextKey, type Scope, Snapshot } from '@heddle/context'

import type { Execution } from './execution.ts'
import type { Item } from './item.ts'
import type { Batch, BatchItem, StartReason } from './types.ts'

/** The batch as its function sees it. It lets go of its members when the function has settled. */
export class BatchView<I, O> implements Batch<I> {
  readonly id: string
  readonly name: string
  readonly size: number
  readonly partition: string
  readonly reason: StartReason
  readonly deadline: number | undefined
  #execution: Execution<I, O> | undefined
  #items: readonly ItemView<I, O>[] | undefined
  #signal: AbortSignal | undefined

  constructor(execution: Execution<I, O>, name: string) {
    this.id = execution.id
    this.name = name
    this.size = execution.items.length
    this.partition = execution.partition
    this.reason = execution.reason
    this.deadline = execution.deadline
    this.#execution = execution
  }

  /** Made when first asked for: many batch functions need the inputs alone. */
  get items(): readonly BatchItem<I>[] {
    if (this.#items) return this.#items
    const { items = [], startedAt = 0 } = this.#execution ?? {}
    this.#items = items.map((item, index) => new ItemView(item, index, startedAt))
    return this.#items
  }

  get signal(): AbortSignal {
    this.#signal ??= this.#execution?.signal ?? new AbortController().signal
    return this.#signal
  }

  close(): void {
    this.#execution = undefined
    for (const item of this.#items ?? []) item.close()
  }
}

/** One member, with a snapshot of its context that lasts as long as the batch function runs. */
class ItemView<I, O> implements BatchItem<I> {
  readonly input: I
  readonly index: number
  readonly queuedFor: number
  readonly #snapshot: Snapshot
  #item: Item<I, O> | undefined
  #signal: AbortSignal | undefined

  constructor(item: Item<I, O>, index: number, startedAt: number) {
    this.input = item.input
    this.index = index
    this.queuedFor = startedAt - item.submittedAt
    this.#snapshot = new Snapshot(item, item.scope)
    this.#item = item
  }

  get scope(): Scope | undefined {
    return this.#snapshot.scope
  }

  get waiters(): readonly Snapshot[] {
    return [this.#snapshot]
  }

  get signal(): AbortSignal {
    this.#signal ??= this.#item?.signal ?? new AbortController().signal
    return this.#signal
  }

  run<R>(fn: () => R): R {
    const item = this.#item
    // Without the item the snapshot is released, and says so.
    return item ? item.enter(() => this.#snapshot.run(fn)) : this.#snapshot.run(fn)
  }

  get<T>(key: ContextKey<T>): T | undefined {
    return this.scope?.get(key)
  }

  close(): void {
    this.#item = undefined
    this.#snapshot.release()
  }
}
