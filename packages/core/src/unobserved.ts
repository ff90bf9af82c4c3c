import { notice, warn } from '@heddle/context/engine'

import { isBatcherError } from './errors.ts'
import type { Rejection } from './item.ts'

/** Its rejection is no unhandled one, whether somebody looks at it or not; whoever looks still gets it. */
export function excuse(promise: Promise<unknown>): void {
  excused.add(promise)
  promise.catch(ignore)
}

const excused = new WeakSet<Promise<unknown>>()

/** Whether nobody has to look at its rejection, for promises that are derived from it. */
export function isExcused(promise: Promise<unknown>): boolean {
  return excused.has(promise)
}

/** What a call gets that the engine refuses; nobody has to look at it. */
export function refused(reason: unknown): Promise<never> {
  // It is an Error of the engine's.
  // oxlint-disable-next-line typescript/prefer-promise-reject-errors
  const promise = Promise.reject(reason)
  excuse(promise)
  return promise
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

/**
 * Reports refusals that nobody may hear of otherwise, each code once: on the diagnostics channel, and as
 * a process warning where the program is wrong, not its input or its clients.
 */
export class Refusals {
  #reported: Set<string> | undefined

  report(batcher: string, { kind, reason }: Omit<Rejection, 'status'>): void {
    const code = kind === 'aborted' ? 'ABORTED' : isBatcherError(reason) && reason.code
    if (!code || UNREPORTED.has(code) || this.#reported?.has(code)) return
    this.#reported ??= new Set()
    this.#reported.add(code)
    const message = TOO_LATE.has(code) ? tooLate(batcher, code) : (reason as Error).message
    if (MISTAKES.has(code)) warn(code, batcher, message, reason)
    else notice(code, batcher, message, reason)
  }
}

/** They are part of normal work: the statistics count them. */
const UNREPORTED: ReadonlySet<string> = new Set(['QUEUE_FULL', 'BATCHER_CLOSED'])
const MISTAKES: ReadonlySet<string> = new Set([
  'BATCH_FAILED',
  'INVALID_OPTION',
  'REENTRANT_SUBMIT',
])
const TOO_LATE: ReadonlySet<string> = new Set(['ABORTED', 'DEADLINE_EXCEEDED'])

function tooLate(batcher: string, code: string): string {
  const why = code === 'ABORTED' ? 'its caller had left' : 'its deadline had passed'
  return (
    `Batcher \`${batcher}\`: an item was refused because ${why} before the submit. ` +
    'Cure for work that must be done all the same: `detach(() => batcher.submit(input)).catch(log)`'
  )
}

function ignore(): void {
  // The rejection is there for whoever looks.
}
