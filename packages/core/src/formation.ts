import type { Item } from './item.ts'
import type { ResolvedOptions } from './options.ts'
import type { Partition } from './queue.ts'
import type { StartReason } from './types.ts'

export interface Formation<I, O> {
  /** The members of the batch, oldest first; empty when all were too late. */
  readonly items: readonly Item<I, O>[]
  /** Those whose deadline has passed while they waited. */
  readonly expired: readonly Item<I, O>[]
  readonly reason: StartReason
}

/** Chooses the members of a batch that starts now; the queue is left as it is. */
export function form<I, O>(
  partition: Partition<I, O>,
  { maxBatchSize, maxBatchCost }: ResolvedOptions<I, O>,
  reason: StartReason,
  now: number,
): Formation<I, O> {
  const items: Item<I, O>[] = []
  const expired: Item<I, O>[] = []
  let cost = 0
  let item: Item<I, O> | undefined = partition.first
  for (; item && items.length < maxBatchSize; item = item.next) {
    if (item.deadline !== undefined && item.deadline <= now) {
      expired.push(item)
      continue
    }
    // The first that does not fit ends the batch: passing it over could keep it waiting for ever.
    if (cost + item.cost > maxBatchCost) return { items, expired, reason: 'cost' }
    cost += item.cost
    items.push(item)
  }
  if (items.length === maxBatchSize) return { items, expired, reason: 'full' }
  return { items, expired, reason: cost === maxBatchCost ? 'cost' : reason }
}
