import { Heap, type HeapEntry } from './heap.ts'
import type { Item } from './item.ts'
import type { ResolvedOptions } from './options.ts'
import { Lanes, precedes, PRIORITIES } from './priority.ts'
import { TenantRing } from './tenants.ts'

/** Waiting items that may share a batch. One with a key exists only while it has items. */
export class Partition<I, O> implements HeapEntry {
  heapIndex = -1
  readonly key: string
  /** For people, see `Batch.partition`. */
  readonly label: string
  size = 0
  /** What its items cost together. */
  cost = 0
  /** The least one goes first; see `Queue`. */
  score = 0
  /** Those of its first item, as the score was worked out. */
  rank = 0
  sequence = 0
  /** Whether something has changed that these depend on. */
  isStale = false
  /** Whether it can fill a batch. */
  isFull = false
  readonly #lanes = new Lanes<Item<I, O>>()
  readonly #tenants: TenantRing<I, O> | undefined

  constructor(key: string, label: string, tenants: TenantRing<I, O> | undefined) {
    this.key = key
    this.label = label
    this.#tenants = tenants
  }

  /** The first by rank. */
  get first(): Item<I, O> | undefined {
    return this.#lanes.first
  }

  /** When the item that has waited longest was submitted. */
  get waitingSince(): number {
    let since = Number.POSITIVE_INFINITY
    for (let priority = 0; priority < PRIORITIES.length; priority += 1) {
      const head = this.#lanes.head(priority)
      if (head && head.submittedAt < since) since = head.submittedAt
    }
    return since
  }

  /** The item that is next to go into a batch: by rank, or the one of the tenant whose turn it is. */
  peek(): Item<I, O> | undefined {
    return this.#tenants ? this.#tenants.peek() : this.#lanes.first
  }

  /** The item goes into a batch; to be called before it is removed. */
  charge(item: Item<I, O>): void {
    this.#tenants?.charge(item)
  }

  add(item: Item<I, O>): void {
    this.#lanes.add(item)
    this.#tenants?.add(item)
    this.size += 1
    this.cost += item.cost
  }

  remove(item: Item<I, O>): void {
    this.#lanes.remove(item)
    this.#tenants?.remove(item)
    this.size -= 1
    this.cost -= item.cost
  }

  replace(item: Item<I, O>, heir: Item<I, O>): void {
    this.#lanes.replace(item, heir)
    this.#tenants?.replace(item, heir)
  }
}

/**
 * Every waiting item of a batcher. Joining and leaving cost the same however many wait.
 *
 * Between partitions, rank decides, but a full batch counts as `maxWait` older than an empty one: fuller
 * batches serve more callers, and nobody is passed over for longer than that.
 */
export class Queue<I, O> {
  readonly #options: ResolvedOptions<I, O>
  /** Of the items without a key, which most batchers have alone: it is there to stay. */
  readonly #plain: Partition<I, O>
  readonly #keyed = new Map<string, Partition<I, O>>()
  readonly #byScore = new Heap<Partition<I, O>>(scoresLess)
  /** Those whose place in the heap may be another by now: it is found again when somebody asks who is next. */
  readonly #stale: Partition<I, O>[] = []
  /** Those that can fill a batch, by when they could first. */
  readonly #full = new Set<Partition<I, O>>()
  /** How many items of each tenant wait, in whichever partition. */
  readonly #ofTenant = new Map<string, number>()
  #size = 0

  constructor(options: ResolvedOptions<I, O>) {
    this.#options = options
    this.#plain = this.#create('', '')
  }

  get size(): number {
    return this.#size
  }

  get partitions(): number {
    return this.#keyed.size + (this.#plain.size > 0 ? 1 : 0)
  }

  /** The partition whose turn it is. */
  get next(): Partition<I, O> | undefined {
    if (this.partitions > 1 || this.#stale.length > 1) this.#rescore()
    return this.#byScore.first
  }

  /** A partition that can fill a batch. */
  get full(): Partition<I, O> | undefined {
    return this.#full.size === 0 ? undefined : this.#full.values().next().value
  }

  /** How many items of the tenant wait. */
  sizeOf(tenant: string): number {
    return this.#ofTenant.get(tenant) ?? 0
  }

  /** When the item that has waited longest was submitted; `undefined` when none waits. */
  get waitingSince(): number | undefined {
    let since = this.#plain.waitingSince
    for (const partition of this.#keyed.values()) since = Math.min(since, partition.waitingSince)
    return this.#size === 0 ? undefined : since
  }

  /** @param label - called only when the item opens its partition */
  add(item: Item<I, O>, key: string, label: () => string): void {
    const partition = key === '' ? this.#plain : (this.#keyed.get(key) ?? this.#open(key, label))
    partition.add(item)
    item.partition = partition
    this.#size += 1
    if (this.#options.tenantBy) this.#count(item.tenant, 1)
    if (partition.size === 1) this.#byScore.add(partition)
    this.#changed(partition)
    this.#noteFull(partition)
  }

  remove(item: Item<I, O>): void {
    const { partition } = item
    if (partition === undefined) return
    this.take(item, partition)
    this.tidy(partition)
  }

  /** Takes an item out of its partition. When all that leave together have left, `tidy` must follow. */
  take(item: Item<I, O>, partition: Partition<I, O>): void {
    partition.remove(item)
    item.partition = undefined
    this.#size -= 1
    if (this.#options.tenantBy) this.#count(item.tenant, -1)
  }

  /** Items of the partition have left. */
  tidy(partition: Partition<I, O>): void {
    this.#noteFull(partition)
    if (partition.size > 0) {
      this.#changed(partition)
      return
    }
    if (partition !== this.#plain) this.#keyed.delete(partition.key)
    this.#byScore.remove(partition)
  }

  /** Puts `heir`, who waits for the same, into the place of `item`. */
  replace(item: Item<I, O>, heir: Item<I, O>): void {
    const { partition, priority, rank, sequence, cost, tenant } = item
    if (partition === undefined) return
    Object.assign(heir, { partition, priority, sequence, cost })
    Object.assign(heir.extend(), { rank, tenant })
    partition.replace(item, heir)
    item.partition = undefined
  }

  /** Gives an item the rank of `other`, which is better. */
  advance(item: Item<I, O>, { priority, rank, sequence }: Item<I, O>): void {
    const { partition } = item
    if (partition === undefined) return
    partition.remove(item)
    Object.assign(item, { priority, sequence })
    item.extend().rank = rank
    partition.add(item)
    this.#changed(partition)
  }

  /** The options have changed. */
  reconfigured(): void {
    for (const partition of [this.#plain, ...this.#keyed.values()]) {
      this.#noteFull(partition)
      this.#changed(partition)
    }
  }

  #open(key: string, label: () => string): Partition<I, O> {
    const partition = this.#create(key, label())
    this.#keyed.set(key, partition)
    return partition
  }

  #create(key: string, label: string): Partition<I, O> {
    const tenants = this.#options.tenantBy ? new TenantRing<I, O>() : undefined
    return new Partition(key, label, tenants)
  }

  #changed(partition: Partition<I, O>): void {
    if (partition.isStale) return
    partition.isStale = true
    this.#stale.push(partition)
  }

  #rescore(): void {
    for (let partition = this.#stale.pop(); partition; partition = this.#stale.pop()) {
      partition.isStale = false
      if (partition.heapIndex < 0) continue
      this.#score(partition)
      this.#byScore.update(partition)
    }
  }

  #score(partition: Partition<I, O>): void {
    const { first, size } = partition
    if (first === undefined) return
    const { maxBatchSize, maxWait } = this.#options
    partition.rank = first.rank
    partition.sequence = first.sequence
    partition.score = first.rank - maxWait * Math.min(1, size / maxBatchSize)
  }

  #noteFull(partition: Partition<I, O>): void {
    const { maxBatchSize, maxBatchCost } = this.#options
    const isFull = partition.size >= maxBatchSize || partition.cost >= maxBatchCost
    if (isFull === partition.isFull) return
    partition.isFull = isFull
    if (isFull) this.#full.add(partition)
    else this.#full.delete(partition)
  }

  #count(tenant: string, change: number): void {
    const count = this.sizeOf(tenant) + change
    if (count === 0) this.#ofTenant.delete(tenant)
    else this.#ofTenant.set(tenant, count)
  }
}

function scoresLess(a: Partition<any, any>, b: Partition<any, any>): boolean {
  return a.score === b.score ? precedes(a, b) : a.score < b.score
}
