import { engineOf, partitionLabel, partitionOf } from '@heddle/context/engine'

import { BatcherError, type BatcherErrorCode, describe } from './errors.ts'
import type { Item, Rejection } from './item.ts'
import { assertSubmitOptions, type ResolvedOptions } from './options.ts'

/** What admission asks the engine. */
export interface Gate {
  readonly closed: boolean
  readonly queueSize: number
  readonly hasFreeSlot: boolean
  /** Whether a batch of this engine is on the stack, in a member's context. */
  readonly enteredFromBatch: boolean
  /** Seconds until a full queue will have run. */
  readonly retryAfter: () => number
}

/** Where an admitted item waits. */
export interface Place {
  readonly partition: string
  readonly label: () => string
}

/**
 * Decides in the caller's context whether an item may wait, and where; works out its cost and its
 * deadline on the way. Nothing it does is to be undone when the item is refused.
 */
export function admit<I, O>(
  item: Item<I, O>,
  options: ResolvedOptions<I, O>,
  gate: Gate,
  engine: object,
): Place | Rejection {
  const { name, maxBatchCost, maxQueueSize } = options
  const refuse = (code: BatcherErrorCode, message: string, details?: ErrorDetails): Rejection => ({
    status: 'rejected',
    reason: new BatcherError(code, name, `Batcher \`${name}\`: ${message}`, details),
    kind: 'engine',
  })
  if (item.options) {
    try {
      assertSubmitOptions(name, item.options)
    } catch (reason) {
      return { status: 'rejected', reason, kind: 'engine' }
    }
  }
  if (gate.closed) {
    return refuse('BATCHER_CLOSED', 'it is closed. Cure: submit before `close()` is called')
  }
  const { abortReason } = item
  if (abortReason) return { status: 'rejected', reason: abortReason, kind: 'aborted' }
  if (!gate.hasFreeSlot && (gate.enteredFromBatch || engineOf(item.scope) === engine)) {
    return refuse(
      'REENTRANT_SUBMIT',
      'its batch function submitted to it while holding the last slot, so both would wait for ever. ' +
        'Cure: call what the batch function needs directly, use a second batcher, or raise `maxConcurrency`',
    )
  }
  item.deadline = deadlineOf(item, options)
  if (item.deadline !== undefined && item.deadline <= item.submittedAt) {
    return refuse('DEADLINE_EXCEEDED', 'the deadline had passed before the submit')
  }
  let place: Place
  try {
    item.cost = costOf(item.input, options)
    place = placeOf(item, options)
  } catch (cause) {
    return refuse('BATCH_FAILED', `the item could not be queued: ${describe(cause)}`, { cause })
  }
  if (item.cost > maxBatchCost) {
    return refuse('ITEM_TOO_LARGE', `the item costs ${item.cost}, a batch at most ${maxBatchCost}`)
  }
  if (gate.queueSize >= maxQueueSize) {
    const retryAfter = gate.retryAfter()
    return refuse('QUEUE_FULL', `${gate.queueSize} items wait already`, { retryAfter })
  }
  return place
}

type ErrorDetails = ErrorOptions & { readonly retryAfter?: number }

/** The earliest of the batcher's, the caller's and the scope's. */
function deadlineOf<I, O>(
  { submittedAt, options: own, scope }: Item<I, O>,
  options: ResolvedOptions<I, O>,
): number | undefined {
  const timeout = Math.min(
    options.timeout ?? Number.POSITIVE_INFINITY,
    own?.timeout ?? Number.POSITIVE_INFINITY,
  )
  const deadline = Math.min(submittedAt + timeout, scope?.deadline ?? Number.POSITIVE_INFINITY)
  return deadline === Number.POSITIVE_INFINITY ? undefined : deadline
}

function costOf<I, O>(input: I, { cost }: ResolvedOptions<I, O>): number {
  if (cost === undefined) return 1
  const value: unknown = cost(input)
  if (typeof value === 'number' && value >= 0 && value < Number.POSITIVE_INFINITY) return value
  throw new RangeError(`Expected \`cost\` to return a number of at least 0, got ${String(value)}`)
}

function placeOf<I, O>(
  { input, scope }: Item<I, O>,
  { partitionBy }: ResolvedOptions<I, O>,
): Place {
  const ofScope = partitionOf(scope)
  if (partitionBy === undefined) return { partition: ofScope, label: () => partitionLabel(scope) }
  const own: unknown = partitionBy(input)
  if (typeof own !== 'string') {
    throw new TypeError(`Expected \`partitionBy\` to return a string, got ${typeof own}`)
  }
  return {
    // What the scope says is written with lengths, so what follows the bar cannot be taken for it.
    partition: `${ofScope}|${own}`,
    label: () => [own, partitionLabel(scope)].filter((part) => part !== '').join(','),
  }
}
