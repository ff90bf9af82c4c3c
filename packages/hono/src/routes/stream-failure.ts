import { isBatcherError } from '@heddle/core'
import { HTTPException } from 'hono/http-exception'

import type { HttpScope } from '../http-scope.ts'
import { PROBLEM_JSON, problemException, problemOf, toHttpException } from '../problems.ts'

/** Why the request was given up: its deadline has passed, or its client has left. */
export function abortFailure(scope: HttpScope): Error {
  const { abortReason, settings } = scope
  if (abortReason) return scope.adaptFailure(abortReason)
  const { reason } = scope.signal as { readonly reason: Error }
  if (!settings.problems) return reason
  return problemException(problemOf(504, 'DEADLINE_EXCEEDED', reason, scope), reason)
}

/** What an iterable threw may be anything. */
export function asFailure(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown
  return new Error('A stream failed with what is no Error', { cause: thrown })
}

/** Whether its message is made for clients, and nobody needs to look into it. */
export function isExpected(error: Error): boolean {
  return isBatcherError(error) || error instanceof HTTPException
}

/** What the status and the body would have been, had the error come before them: an RFC 9457 problem. */
export async function problemOfFailure(error: Error, scope: HttpScope): Promise<unknown> {
  // One of a request is an HTTPException already, and keeps the status that its batch function gave it.
  const isRaw = isBatcherError(error) && !(error instanceof HTTPException)
  const answer = isRaw ? toHttpException(error, scope) : error
  if (!(answer instanceof HTTPException)) return problemOf(500, 'INTERNAL_ERROR', error, scope)
  const { res, status, message } = answer
  if (res?.headers.get('content-type')?.startsWith(PROBLEM_JSON)) return res.clone().json()
  const problem = problemOf(status, 'HTTP_ERROR', answer, scope)
  // Hono would answer with the message, so it is made for clients; beside a response it would not be sent.
  return message === '' || res !== undefined ? problem : { ...problem, detail: message }
}
