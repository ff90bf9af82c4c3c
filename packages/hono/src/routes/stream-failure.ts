import { isBatcherError } from '@heddle/core'
import { HTTPException } from 'hono/http-exception'

import type { HttpScope } from '../http-scope.ts'
import { PROBLEM_JSON, problemException, problemOf, toHttpException } from '../problems.ts'

/** Why the request was given up: its deadline has passed, or its client has left. */
export function abortFailure(scope: HttpScope): Error {
  const { abortReason, requestId, settings } = scope
  if (abortReason) return scope.adaptFailure(abortReason)
  const { reason } = scope.signal as { readonly reason: Error }
  if (!settings.problems) return reason
  return problemException(problemOf(504, 'DEADLINE_EXCEEDED', requestId, reason), reason)
}

/** Whether its message is made for clients, and nobody needs to look into it. */
export function isExpected(error: Error): boolean {
  return isBatcherError(error) || error instanceof HTTPException
}

/** What the status and the body would have been, had the error come before them: an RFC 9457 problem. */
export async function problemOfFailure(error: Error, scope: HttpScope): Promise<unknown> {
  const { requestId, settings } = scope
  const { overloadStatus } = settings
  const adapted = isBatcherError(error)
    ? toHttpException(error, { requestId, overloadStatus })
    : error
  if (!(adapted instanceof HTTPException)) {
    return problemOf(500, 'INTERNAL_ERROR', requestId, error)
  }
  const { res, status, message } = adapted
  if (res?.headers.get('content-type')?.startsWith(PROBLEM_JSON)) return res.clone().json()
  // Hono would answer with the message, so it is made for clients.
  return { ...problemOf(status, 'HTTP_ERROR', requestId, error), detail: message }
}
