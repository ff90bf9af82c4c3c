import type { Context, TypedResponse } from 'hono'

import { httpScopeOf } from '../scope-of.ts'
import { timingSince } from '../server-timing.ts'
import { noteSelfHolding } from '../stream-helpers.ts'
import { formatOf } from './formats.ts'
import { leaveSource, StreamBody } from './stream-body.ts'
import { abortFailure } from './stream-failure.ts'
import type { StreamOptions } from './stream-options.ts'
import type { BatchResponse } from './types.ts'

/** A stream, or what prevented it. */
export type StreamResponse = Response & (TypedResponse<ReadableStream, 200, 'body'> | BatchResponse)

/**
 * Answers with the chunks of a batcher's stream, or of any async iterable, as server-sent events unless
 * the options say otherwise.
 *
 * The first chunk is awaited before the status goes out, so a full queue is a real 503. What fails later
 * becomes the last event: a problem document, as the answer would have been.
 *
 * @throws ContextError `NO_SCOPE` when `heddle()` does not run before this handler
 * @throws TypeError for an option that is not as described
 * @throws what prevents the first chunk: HTTPException with a problem document for a batcher's errors
 * @example
 * ```ts
 * app.get('/words', (c) => streamBatched(c, words.stream(c.req.query('prompt') ?? '')))
 * ```
 */
export async function streamBatched<C>(
  c: Context,
  iterable: AsyncIterable<C> | PromiseLike<AsyncIterable<C>>,
  options: StreamOptions<C> = {},
): Promise<StreamResponse> {
  const scope = httpScopeOf(c)
  const format = formatOf(options)
  const timing = timingSince(scope)
  const iterator = iteratorOf(await iterable)
  const first = await iterator.next()
  const headers = { 'Content-Type': format.contentType, 'Cache-Control': 'no-cache' }
  if (scope.signal.aborted) {
    leaveSource(iterator, scope)
    throw abortFailure(scope)
  }
  if (c.req.raw.method === 'HEAD') {
    leaveSource(iterator, scope)
    // A client's types know one answer for both methods.
    return c.newResponse(null, 200, headers) as StreamResponse
  }
  const body = new StreamBody({ iterator, first, format, callbacks: options, scope, timing })
  const readable = body.readable()
  noteSelfHolding(readable)
  return c.body(readable, 200, headers)
}

function iteratorOf<C>(iterable: AsyncIterable<C>): AsyncIterator<C> {
  if (typeof iterable?.[Symbol.asyncIterator] === 'function') {
    return iterable[Symbol.asyncIterator]()
  }
  throw new TypeError(
    `streamBatched(): Expected an async iterable, got ${typeof iterable}. ` +
      'Likely cause: a batcher whose results are no streams. Cure: pass what `stream()` returns.',
  )
}
