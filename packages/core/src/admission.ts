import { engineOf, partitionLabel, partitionOf, visibleValues } from '@heddle/context/engine'

import { BatcherError, type BatcherErrorCode, describe } from './errors.ts'
import type { Item, Rejection } from './item.ts'
import type { ResolvedOptions } from './options.ts'
import { PRIORITIES } from './priority.ts'
import { assertSubmitOptions } from './rules.ts'

/** What admission asks the engine. */
export interface Gate {
  readonly closed: boolean
  /** Callers that wait, duplicates included. */
  readonly waiting: number
  readonly hasFreeSlot: boolean
  /** Whether a batch of this engine is on the stack, in a member's context. */
  readonly enteredFromBatch: boolean
  /** How many items of the tenant wait. */
  readonly waitingOf: (tenant: string) => number
  /** Seconds until a full queue will have run. */
  readonly retryAfter: () => number
}

/** Where an admitted item waits. */
export interface Place {
  readonly status: 'admitted'
  readonly partition: string
  readonly label: () => string
  /** Equal for items that may share one execution. */
  readonly dedupeKey: string | undefined
  /** Whether a batch function of this engine waits for it. */
  readonly isFromBatch: boolean
}

/**
 * Decides in the caller's context whether an item may wait, and where; works out its cost, its rank and
 * its deadline on the way. Nothing it does is to be undone when the item is refused.
 */
export function admit<I, O>(
  item: Item<I, O>,
  options: ResolvedOptions<I, O>,
  gate: Gate,
  engine: object,
): Place | Rejection {
  const { name, maxBatchCost } = options
  if (item.options) {
    try {
      assertSubmitOptions(name, item.options)
    } catch (reason) {
      return { status: 'rejected', reason, kind: 'engine' }
    }
  }
  if (gate.closed) {
    return refusal(name, 'BATCHER_CLOSED', 'it is closed. Cure: submit before `close()` is called')
  }
  const { abortReason } = item
  if (abortReason) return { status: 'rejected', reason: abortReason, kind: 'aborted' }
  const isFromBatch = gate.enteredFromBatch || engineOf(item.scope) === engine
  if (isFromBatch && !gate.hasFreeSlot) {
    return refusal(
      name,
      'REENTRANT_SUBMIT',
      'its batch function submitted to it while holding the last slot, so both would wait for ever. ' +
        'Cure: call what the batch function needs directly, use a second batcher, or raise `maxConcurrency`',
    )
  }
  item.deadline = deadlineOf(item, options)
  if (item.deadline !== undefined && item.deadline <= item.submittedAt) {
    return refusal(name, 'DEADLINE_EXCEEDED', 'the deadline had passed before the submit')
  }
  let place: Place
  try {
    item.cost = costOf(item.input, options)
    if (options.tenantBy) item.extend().tenant = textOf('tenantBy', options.tenantBy(item.input))
    place = placeOf(item, options, isFromBatch)
  } catch (cause) {
    return refusal(name, 'BATCH_FAILED', `the item could not be queued: ${describe(cause)}`, {
      cause,
    })
  }
  if (item.cost > maxBatchCost) {
    return refusal(
      name,
      'ITEM_TOO_LARGE',
      `the item costs ${item.cost}, a batch at most ${maxBatchCost}`,
    )
  }
  const full = fullness(item, options, gate)
  if (full !== undefined)
    return refusal(name, 'QUEUE_FULL', full, { retryAfter: gate.retryAfter() })
  const priority = item.options?.priority
  if (priority !== undefined) item.priority = PRIORITIES.indexOf(priority)
  return place
}

type ErrorDetails = ErrorOptions & { readonly retryAfter?: number }

function refusal(
  name: string,
  code: BatcherErrorCode,
  message: string,
  details?: ErrorDetails,
): Rejection {
  const reason = new BatcherError(code, name, `Batcher \`${name}\`: ${message}`, details)
  return { status: 'rejected', reason, kind: 'engine' }
}

/** Why the queue has no place for the item, if it has none. */
function fullness<I, O>(
  { tenant }: Item<I, O>,
  { maxQueueSize, tenantBy }: ResolvedOptions<I, O>,
  gate: Gate,
): string | undefined {
  const free = maxQueueSize - gate.waiting
  if (free <= 0) return `${gate.waiting} items wait already`
  if (tenantBy === undefined) return undefined
  // Choudhury and Hahne 1998, dynamic thresholds: whoever fills the queue leaves room for the others,
  // as much as each of them has taken.
  const own = gate.waitingOf(tenant)
  return own < free
    ? undefined
    : `${own} items of this tenant wait already, and ${free} places are left for all`
}

/** The earliest of the batcher's, the caller's and the scope's. */
function deadlineOf<I, O>(
  { submittedAt, options: own, scope }: Item<I, O>,
  options: ResolvedOptions<I, O>,
): number | undefined {
  const ofScope = scope?.deadline
  const timeout = least(options.timeout, own?.timeout)
  return timeout === undefined ? ofScope : least(submittedAt + timeout, ofScope)
}

function least(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined) return b
  return b === undefined ? a : Math.min(a, b)
}

function costOf<I, O>(input: I, { cost }: ResolvedOptions<I, O>): number {
  if (cost === undefined) return 1
  const value: unknown = cost(input)
  if (typeof value === 'number' && value >= 0 && value < Number.POSITIVE_INFINITY) return value
  throw new RangeError(`Expected \`cost\` to return a number of at least 0, got ${String(value)}`)
}

function placeOf<I, O>(
  item: Item<I, O>,
  options: ResolvedOptions<I, O>,
  isFromBatch: boolean,
): Place {
  const values = (item.values ??= visibleValues())
  const ofScope = partitionOf(values)
  if (ofScope !== '' || options.partitionBy || options.dedupeBy) {
    return keyedPlaceOf(item, options, ofScope, isFromBatch)
  }
  return isFromBatch ? NESTED : ANYWHERE
}

/** Apart, since what `label` captures is made on every call. */
function keyedPlaceOf<I, O>(
  { input, values = [], tenant }: Item<I, O>,
  { partitionBy, dedupeBy }: ResolvedOptions<I, O>,
  ofScope: string,
  isFromBatch: boolean,
): Place {
  const own = partitionBy && textOf('partitionBy', partitionBy(input))
  // What the scope says is written with lengths, so what follows the bar cannot be taken for it.
  const partition = own === undefined ? ofScope : `${ofScope}|${own}`
  const label = (): string =>
    own === undefined
      ? partitionLabel(values)
      : [own, partitionLabel(values)].filter((part) => part !== '').join(',')
  const dedupeKey =
    dedupeBy &&
    // With the lengths, so that no text can be taken for a part of another.
    `${partition.length}:${partition}${tenant.length}:${tenant}${textOf('dedupeBy', dedupeBy(input))}`
  return { status: 'admitted', partition, label, dedupeKey, isFromBatch }
}

/** Where most items wait: the partition that has no key. */
const ANYWHERE: Place = {
  status: 'admitted',
  partition: '',
  label: () => '',
  dedupeKey: undefined,
  isFromBatch: false,
}

const NESTED: Place = { ...ANYWHERE, isFromBatch: true }

function textOf(option: string, value: unknown): string {
  if (typeof value === 'string') return value
  throw new TypeError(`Expected \`${option}\` to return a string, got ${typeof value}`)
}
