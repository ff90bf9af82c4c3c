import { Heap, type HeapEntry } from './heap.ts'
import type { Item } from './item.ts'

/** Waiting items that may share a batch, in the order of their submits. */
export class Partition<I, O> implements HeapEntry {
  heapIndex = -1
  readonly key: string
  /** For people, see `Batch.partition`. */
  readonly label: string
  first: Item<I, O>
  last: Item<I, O>
  size = 0
  /** What its items cost together. */
  cost = 0

  constructor(key: string, label: string, first: Item<I, O>) {
    this.key = key
    this.label = label
    this.first = first
    this.last = first
  }
}

/**
 * Every waiting item of a batcher. Joining and leaving cost the same however many wait; a partition
 * exists only while it has items.
 */
export class Queue<I, O> {
  readonly #maxBatchSize: number
  readonly #maxBatchCost: number
  readonly #partitions = new Map<string, Partition<I, O>>()
  readonly #byAge = new Heap<Partition<I, O>>((a, b) => a.first.sequence < b.first.sequence)
  /** Those that can fill a batch, by when they could first. */
  readonly #full = new Set<Partition<I, O>>()
  #size = 0

  constructor(maxBatchSize: number, maxBatchCost: number) {
    this.#maxBatchSize = maxBatchSize
    this.#maxBatchCost = maxBatchCost
  }

  get size(): number {
    return this.#size
  }

  /** The partition whose first item has waited longest. */
  get oldest(): Partition<I, O> | undefined {
    return this.#byAge.first
  }

  /** A partition that can fill a batch. */
  get full(): Partition<I, O> | undefined {
    return this.#full.values().next().value
  }

  /** @param label - called only when the item opens its partition */
  add(item: Item<I, O>, key: string, label: () => string): void {
    let partition = this.#partitions.get(key)
    if (partition === undefined) {
      partition = new Partition(key, label(), item)
      this.#partitions.set(key, partition)
      this.#byAge.add(partition)
    } else {
      item.previous = partition.last
      partition.last.next = item
      partition.last = item
    }
    item.partition = partition
    partition.size += 1
    partition.cost += item.cost
    this.#size += 1
    if (this.#fills(partition)) this.#full.add(partition)
  }

  remove(item: Item<I, O>): void {
    const { partition, previous, next } = item
    if (partition === undefined) return
    if (previous) previous.next = next
    if (next) next.previous = previous
    item.partition = item.previous = item.next = undefined
    partition.size -= 1
    partition.cost -= item.cost
    this.#size -= 1
    if (!this.#fills(partition)) this.#full.delete(partition)
    if (next === undefined && previous === undefined) {
      this.#partitions.delete(partition.key)
      this.#byAge.remove(partition)
      return
    }
    if (next === undefined && previous) partition.last = previous
    if (previous === undefined && next) {
      partition.first = next
      this.#byAge.update(partition)
    }
  }

  #fills({ size, cost }: Partition<I, O>): boolean {
    return size >= this.#maxBatchSize || cost >= this.#maxBatchCost
  }
}
