import {
  type AdoptedKey,
  type BatchScope,
  type ContextKey,
  openBatchScope,
  type Scope,
  type Snapshot,
} from '@heddle/context'
import { isAsTaken, valueFor } from '@heddle/context/engine'

import type { Execution } from './execution.ts'
import type { Item } from './item.ts'
import { waitersOf } from './sharing.ts'
import type { BatchItem } from './types.ts'
import { Waiter } from './waiter.ts'

/** One member, as the batch function sees it, with a snapshot of each context that waits for it. */
export class ItemView<I, O> implements BatchItem<I> {
  readonly input: I
  readonly index: number
  readonly queuedFor: number
  /** While the batch function runs. */
  #execution: Execution<I, O> | undefined
  #first: Item<I, O> | undefined
  readonly #snapshot: Waiter
  /** Of those that wait besides. */
  #others: Map<Item<I, O>, Waiter> | undefined
  /** Scopes in which code runs that was called for several callers. */
  #scopes: BatchScope[] | undefined
  #signal: AbortSignal | undefined

  constructor(execution: Execution<I, O>, item: Item<I, O>, index: number) {
    this.input = item.input
    this.index = index
    this.queuedFor = execution.startedAt - item.submittedAt
    this.#execution = execution
    this.#first = item
    this.#snapshot = new Waiter(item)
  }

  get scope(): Scope | undefined {
    const [item, ...others] = this.#waiting()
    return item && others.length === 0 ? this.#snapshotOf(item).scope : undefined
  }

  get waiters(): readonly Snapshot[] {
    return this.#waiting().map((item) => this.#snapshotOf(item))
  }

  get signal(): AbortSignal {
    this.#signal ??= this.#execution?.items[this.index]?.signal ?? new AbortController().signal
    return this.#signal
  }

  run<R>(fn: () => R): R {
    const items = this.#waiting()
    const [item] = items
    // Released by now, which it says.
    if (item === undefined) return this.#snapshot.run(fn)
    const enter = (): R =>
      items.length === 1 ? this.#snapshotOf(item).run(fn) : this.#runMerged(items, fn)
    return item.enter(enter)
  }

  get<T>(key: ContextKey<T> | AdoptedKey<T>): T | undefined {
    const items = this.#waiting()
    if (items.length > 1) return valueFor({ scope: this.#merged(items) }, key)
    const [item] = items
    if (item === undefined) return undefined
    if (!isAsTaken(item, key)) item.expose()
    return valueFor(item, key)
  }

  close(): void {
    this.#execution = undefined
    this.#first = undefined
    this.#snapshot.release()
    for (const snapshot of this.#others?.values() ?? []) snapshot.release()
    for (const scope of this.#scopes ?? []) scope.close()
    this.#others = this.#scopes = undefined
  }

  #waiting(): readonly Item<I, O>[] {
    const item = this.#execution?.items[this.index]
    return item ? waitersOf(item) : []
  }

  #snapshotOf(item: Item<I, O>): Waiter {
    if (item === this.#first) return this.#snapshot
    const others = (this.#others ??= new Map())
    const snapshot = others.get(item) ?? new Waiter(item)
    others.set(item, snapshot)
    return snapshot
  }

  /** The code may go on after the batch function has settled, and must not lead to its callers then. */
  #runMerged<R>(items: readonly Item<I, O>[], fn: () => R): R {
    const scope = this.#merged(items)
    ;(this.#scopes ??= []).push(scope)
    return scope.run(fn)
  }

  /** None of several contexts: what their keys' rules allow, as in a batch of them. */
  #merged(items: readonly Item<I, O>[]): BatchScope {
    const { id = '', batcher = '', strictStores, engine } = this.#execution ?? {}
    return openBatchScope(items, {
      name: `${id}[${this.index}]`,
      batcher,
      strictStores,
      kind: 'item',
      signal: this.signal,
      ...(engine ? { engine } : {}),
    })
  }
}
