import { aText, assertOption, shown } from '@heddle/context/engine'
import type { SubmitOptions } from '@heddle/core'
import type { MiddlewareHandler } from 'hono'

import { scopeOf } from '../scope-of.ts'
import type { BatchResponse } from './types.ts'

/** What `batched` needs of a batcher. */
export interface Submits<I, O> {
  submit(input: I, options?: SubmitOptions): Promise<O>
}

/** What `batched` needs of a batcher of streams. */
export interface Streams<I, C> {
  stream(input: I, options?: SubmitOptions): AsyncIterable<C>
}

/** Submits to the batcher, for the request that it was got from. */
export type Batched<I, R> = (input: I, options?: SubmitOptions) => R

type BatchedMiddleware<Name extends string, F> = MiddlewareHandler<
  { Variables: Record<Name, F> },
  string,
  {},
  BatchResponse
>

/**
 * Route middleware that puts a batcher's `submit`, or `stream`, into `c.var[name]`, and the problem
 * documents of its 503 and 504 into the types of the route's answers, for `hc`.
 *
 * Answers of the handler need their status, as in `c.json(vector, 200)`: without one, Hono's types
 * have the body under every status.
 *
 * @throws TypeError for a name that is empty, or no batcher
 * @throws ContextError `NO_SCOPE`, per request, when `heddle()` does not run before it
 * @example
 * ```ts
 * app.post('/embed', batched('embed', embeddings), sValidator('json', schema), async (c) =>
 *   c.json(await c.var.embed(c.req.valid('json').text), 200),
 * )
 * ```
 */
export function batched<const Name extends string, I, O>(
  name: Name,
  batcher: Submits<I, O>,
): BatchedMiddleware<Name, Batched<I, Promise<O>>>
export function batched<const Name extends string, I, C>(
  name: Name,
  batcher: Streams<I, C>,
): BatchedMiddleware<Name, Batched<I, AsyncIterable<C>>>
export function batched(
  name: string,
  batcher: Partial<Submits<unknown, unknown> & Streams<unknown, unknown>>,
): MiddlewareHandler<any, any, any, any> {
  assertOption('batched', 'name', name, aText)
  const method = batcher?.submit ?? batcher?.stream
  if (typeof method !== 'function') {
    throw new TypeError(
      `batched(): Expected the second argument for \`${name}\` to be a batcher, got ${shown(batcher)}. ` +
        'Cure: pass what createBatcher() or createStreamBatcher() returned.',
    )
  }
  const call = method.bind(batcher)
  return function batchedMiddleware(c, next) {
    // The answers that its type promises are made there.
    scopeOf(c)
    c.set(name, call)
    return next()
  }
}
