import { isBatcherError } from './errors.ts'
import type { Rejection } from './item.ts'

const excused = new WeakSet<Promise<unknown>>()

/** Its rejection is no unhandled one, whether somebody looks at it or not; whoever looks still gets it. */
export function excuse(promise: Promise<unknown>): void {
  excused.add(promise)
  promise.catch(ignore)
}

/** Whether nobody has to look at its rejection, for promises that are derived from it. */
export function isExcused(promise: Promise<unknown>): boolean {
  return excused.has(promise)
}

/**
 * Whether the engine, or its caller, ended an item. The other rejections are errors of the batch function,
 * which an app must not miss: if nobody looks at them, they are unhandled ones as any promise's.
 */
export function isEnding({ kind, reason }: Rejection): boolean {
  if (kind !== 'engine') return kind === 'aborted'
  return !isBatcherError(reason) || !ofBatchFunctions.has(reason.code)
}

const ofBatchFunctions: ReadonlySet<string> = new Set(['BATCH_FAILED', 'RESULT_MISMATCH'])

function ignore(): void {
  // The rejection is there for whoever looks.
}
