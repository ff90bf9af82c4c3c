import type { Item } from './item.ts'
import type { ResolvedOptions } from './options.ts'
import type { Partition, Queue } from './queue.ts'
import type { RunTime, ServiceTime } from './service-time.ts'
import { lastDeadline } from './sharing.ts'
import type { StartReason } from './types.ts'

export interface Formation<I, O> {
  /** The members of the batch, in their order; empty when all were too late. */
  readonly items: Item<I, O>[]
  /** Those that are too late: past their deadlines, or sure to be when the batch has run. */
  readonly late: readonly Item<I, O>[]
  readonly reason: StartReason
}

/**
 * Takes the members of a batch that starts now out of the queue, and whoever is too late with them.
 *
 * @param serviceTime - by which the batch is expected to take a certain time
 */
export function form<I, O>(
  queue: Queue<I, O>,
  partition: Partition<I, O>,
  options: ResolvedOptions<I, O>,
  reason: StartReason,
  now: number,
  serviceTime: ServiceTime,
): Formation<I, O> {
  const { maxBatchSize, maxBatchCost } = options
  const { size, cost: waitingCost } = partition
  let runTime: RunTime | undefined
  const items: Item<I, O>[] = []
  let late: Item<I, O>[] | undefined
  let hopeless: Item<I, O>[] | undefined
  let cost = 0
  let why = reason
  while (items.length < maxBatchSize) {
    // Not before it is needed: whose turn it is may change until the next batch.
    const item = partition.peek()
    if (item === undefined) break
    const deadline = lastDeadline(item)
    if (deadline !== undefined) {
      runTime ??= serviceTime.expect(costOfNext(size, waitingCost, options))
      // When more wait than fit, a place is too good for one that may well be late.
      const isCrowded = items.length + partition.size > maxBatchSize
      const isHopeless = deadline < now + (isCrowded ? runTime.p95 : runTime.mean)
      if (isHopeless || deadline <= now) {
        queue.take(item, partition)
        if (deadline <= now) (late ??= []).push(item)
        else (hopeless ??= []).push(item)
        continue
      }
    }
    // The first that does not fit ends the batch: passing it over could keep it waiting for ever.
    if (items.length > 0 && cost + item.cost > maxBatchCost) {
      why = 'cost'
      break
    }
    cost += item.cost
    items.push(item)
    partition.charge(item)
    queue.take(item, partition)
  }
  queue.tidy(partition)
  if (items.length === 0 && hopeless) {
    // The run time is an estimate, and only a run can prove it wrong: shed all, it would stand for ever.
    const fitting = lastThatFit(hopeless, options)
    hopeless = hopeless.slice(0, hopeless.length - fitting.length)
    items.push(...fitting)
    for (const item of fitting) cost += item.cost
  }
  if (hopeless) late = [...(late ?? []), ...hopeless]
  if (items.length === maxBatchSize) why = 'full'
  else if (cost === maxBatchCost) why = 'cost'
  return { items, late: late ?? nobody, reason: why }
}

const nobody: readonly never[] = []

/** What the next batch of so many waiting items will cost, at most. */
function costOfNext<I, O>(
  size: number,
  cost: number,
  { maxBatchSize, maxBatchCost }: ResolvedOptions<I, O>,
): number {
  return Math.min(maxBatchCost, (cost / size) * Math.min(size, maxBatchSize))
}

/** Those with the most time left, as a queue in which all have the same timeout has them. */
function lastThatFit<I, O>(
  items: readonly Item<I, O>[],
  { maxBatchSize, maxBatchCost }: ResolvedOptions<I, O>,
): readonly Item<I, O>[] {
  let cost = 0
  let start = items.length
  for (; start > 0 && items.length - start < maxBatchSize; start -= 1) {
    cost += items[start - 1]?.cost ?? 0
    if (cost > maxBatchCost) break
  }
  return items.slice(start)
}
