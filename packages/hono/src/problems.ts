import { STATUS_CODES } from 'node:http'

import { type BatcherErrorCode, brandAs, isBatcherError } from '@heddle/core'
import { HTTPException } from 'hono/http-exception'
import type { ContentfulStatusCode } from 'hono/utils/http-status'

import type { Settings } from './options.ts'

/** nginx's code for a client that has closed the connection; it is seen in logs and traces alone. */
const CLIENT_CLOSED_REQUEST = 499

export const PROBLEM_JSON = 'application/problem+json'

/** An RFC 9457 problem document, with the code of the error and the id of the request. */
export interface Problem<Status extends number = number, Code extends string = string> {
  readonly type: string
  readonly title: string
  readonly status: Status
  /** Branch on this, never on the title. */
  readonly code: Code
  readonly requestId: string
  /** With `details` alone: it may name what is internal. */
  readonly detail?: string
}

export interface ProblemOptions {
  readonly requestId: string
  readonly settings: Pick<Settings, 'overloadStatus' | 'details'>
}

/**
 * What a request's handler gets in the place of an engine's error: an HTTPException with an answer of
 * its own, so that Hono answers with it and an app's own `onError` can decide otherwise. It still
 * passes for the BatcherError, which is its cause.
 */
export function toHttpException(error: Error, options: ProblemOptions): HTTPException {
  if (!isBatcherError(error)) return exception(error, CLIENT_CLOSED_REQUEST, 'CLIENT_GONE', options)
  const { cause } = error
  // A batch function speaks HTTP when it throws an HTTPException; its answer is for each member.
  if (error.code === 'BATCH_FAILED' && cause instanceof HTTPException) {
    const { status, message } = cause
    // Without a response of its own Hono makes one of the message.
    const own = cause.res === undefined ? {} : { res: cause.res.clone() }
    return brandAs(new HTTPException(status, { ...own, message, cause: error }), error)
  }
  const status = statusOf(error.code, options.settings.overloadStatus)
  return brandAs(exception(error, status, error.code, options), error)
}

function statusOf(code: BatcherErrorCode, overloadStatus: 503 | 429): number {
  if (code === 'QUEUE_FULL') return overloadStatus
  if (code === 'BATCHER_CLOSED') return 503
  if (code === 'DEADLINE_EXCEEDED') return 504
  if (code === 'ITEM_TOO_LARGE') return 413
  return 500
}

function exception(
  error: Error,
  status: number,
  code: string,
  options: ProblemOptions,
): HTTPException {
  const problem = problemOf(status, code, error, options)
  const retryAfter = isBatcherError(error) ? error.retryAfter : undefined
  return problemException(problem, error, retryAfter)
}

/** A problem document that tells with `details` alone what the error says. */
export function problemOf<Status extends number, Code extends string>(
  status: Status,
  code: Code,
  error: Error,
  { requestId, settings }: ProblemOptions,
): Problem<Status, Code> {
  return {
    // RFC 9457, section 4.2.1: no more to say than the status does.
    type: 'about:blank',
    title: STATUS_CODES[status] ?? 'Client Closed Request',
    status,
    code,
    requestId,
    ...(settings.details ? { detail: error.message } : {}),
  }
}

/** @param retryAfter - s */
export function problemException(
  problem: Problem,
  cause: Error,
  retryAfter?: number,
): HTTPException {
  const headers = new Headers({ 'Content-Type': PROBLEM_JSON })
  if (retryAfter !== undefined) headers.set('Retry-After', String(Math.ceil(retryAfter)))
  const res = new Response(JSON.stringify(problem), { status: problem.status, headers })
  // Hono's type leaves 499 out, since no standard has it.
  const status = problem.status as ContentfulStatusCode
  // Many an `onError` answers with the message, so it is for clients; the cause is for logs.
  return new HTTPException(status, { res, message: problem.detail ?? problem.title, cause })
}
