import { ItemView } from './batch-item.ts'
import type { Execution } from './execution.ts'
import type { Item, Outcome } from './item.ts'
import type { Batch, BatchItem, StartReason } from './types.ts'

/** The batch as its function sees it. It lets go of its members when the function has settled. */
export class BatchView<I, O> implements Batch<I> {
  readonly #execution: Execution<I, O>
  #items: readonly ItemView<I, O>[] | undefined
  #signal: AbortSignal | undefined

  constructor(execution: Execution<I, O>) {
    this.#execution = execution
  }

  get id(): string {
    return this.#execution.id
  }

  get name(): string {
    return this.#execution.batcher
  }

  get size(): number {
    return this.#execution.size
  }

  get partition(): string {
    return this.#execution.partition
  }

  get reason(): StartReason {
    return this.#execution.reason
  }

  get deadline(): number | undefined {
    return this.#execution.deadline
  }

  /** Made when first asked for: many batch functions need the inputs alone. */
  get items(): readonly BatchItem<I>[] {
    if (this.#items) return this.#items
    const execution = this.#execution
    this.#items = execution.items.map((item, index) => new ItemView(execution, item, index))
    return this.#items
  }

  get signal(): AbortSignal {
    return (this.#signal ??= this.#execution.signal)
  }

  /** Differs where the partition does; for the batch functions of this package. */
  get partitionKey(): string {
    return this.#execution.partitionKey
  }

  /** Whom a scope is opened for, and by whom; for the batch functions of this package. */
  get members(): readonly Item<I, O>[] {
    return this.#execution.items
  }

  get engine(): object {
    return this.#execution.engine
  }

  /** What was attached to the items; for the batch functions of this package. */
  attachments(): readonly unknown[] {
    return this.#execution.items.map(({ extras }) => extras?.attachment)
  }

  /** Settles one member before the others; for the batch functions of this package. */
  settle(index: number, outcome: Outcome<O>): void {
    this.#execution.settleEarly(index, outcome)
  }

  close(): void {
    if (this.#items) for (const item of this.#items) item.close()
  }
}
