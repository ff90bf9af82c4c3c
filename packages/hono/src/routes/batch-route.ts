import { shown } from '@heddle/context/engine'
import { type Batch, type Batcher, type BatcherOptions, createBatcher } from '@heddle/core'
import { sValidator } from '@hono/standard-validator'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Context, Handler, MiddlewareHandler, TypedResponse } from 'hono'
import { HTTPException } from 'hono/http-exception'
import type { JSONParsed } from 'hono/utils/types'

import { httpScopeOf } from '../scope-of.ts'
import { invalidInput, type InvalidInput } from './invalid-input.ts'
import type { BatchResponse } from './types.ts'

type Schema = StandardSchemaV1
type Output<S extends Schema> = StandardSchemaV1.InferOutput<S>

/** The part of a request that is an item. */
export type BatchRouteTarget = 'json' | 'form' | 'query' | 'param'

/** The batch function: one result per input, in their order; an `Error` rejects its item alone. */
export type BatchRouteRun<I, O> = (
  inputs: readonly I[],
  batch: Batch<I>,
) => PromiseLike<readonly (O | Error)[]> | readonly (O | Error)[]

/** Those of the route's batcher. */
export type BatchRouteOptions<I> = Omit<BatcherOptions<I, unknown>, 'run'>

/** A handler, with what a graceful shutdown and a health check need. */
export type BatchRoute<T extends BatchRouteTarget, S extends Schema, O> = Handler<
  any,
  any,
  { in: Record<T, StandardSchemaV1.InferInput<S>>; out: Record<T, Output<S>> },
  Promise<
    | TypedResponse<JSONParsed<Exclude<O, Error>>, 200, 'json'>
    | TypedResponse<InvalidInput, 400, 'json'>
    | BatchResponse
  >
> & { readonly batcher: Batcher<Output<S>, O> }

/**
 * A whole route: validates one part of the request by a Standard Schema (zod, valibot, arktype, …),
 * batches what comes of it, and answers with the result as JSON. `hc` knows its request, its answer and
 * its 400, 503 and 504.
 *
 * For a validator of your own, several parts or another answer, use `batched` and a handler.
 *
 * @throws TypeError without a schema
 * @throws BatcherError `INVALID_OPTION` for an option that is not as described
 * @example
 * ```ts
 * app.post(
 *   '/embed',
 *   batchRoute({ name: 'embed', json: z.object({ text: z.string() }) }, (inputs) =>
 *     model.embed(inputs.map(({ text }) => text)),
 *   ),
 * )
 * ```
 */
export function batchRoute<S extends Schema, O>(
  options: { readonly json: S } & BatchRouteOptions<Output<S>>,
  run: BatchRouteRun<Output<S>, O>,
): BatchRoute<'json', S, O>
export function batchRoute<S extends Schema, O>(
  options: { readonly form: S } & BatchRouteOptions<Output<S>>,
  run: BatchRouteRun<Output<S>, O>,
): BatchRoute<'form', S, O>
export function batchRoute<S extends Schema, O>(
  options: { readonly query: S } & BatchRouteOptions<Output<S>>,
  run: BatchRouteRun<Output<S>, O>,
): BatchRoute<'query', S, O>
export function batchRoute<S extends Schema, O>(
  options: { readonly param: S } & BatchRouteOptions<Output<S>>,
  run: BatchRouteRun<Output<S>, O>,
): BatchRoute<'param', S, O>
export function batchRoute(
  options: { readonly [T in BatchRouteTarget]?: Schema } & BatchRouteOptions<any>,
  run: BatchRouteRun<any, any>,
): unknown {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(`batchRoute(): Expected the options to be an object, got ${shown(options)}`)
  }
  const { json, form, query, param, ...batcherOptions } = options
  const [target, schema] = onlySchema({ json, form, query, param })
  const batcher = createBatcher<any, any>({ ...batcherOptions, run })
  const validate: MiddlewareHandler<any, any, any> = sValidator(target, schema, (result, c) => {
    if (!result.success) throw invalidInput(result.error, httpScopeOf(c))
  })
  const batchRouteHandler = async (c: Context): Promise<Response> => {
    const scope = httpScopeOf(c)
    let input: unknown
    const read = async (): Promise<void> => {
      input = c.req.valid(target as never)
    }
    await validate(c, read).catch((error: unknown) => {
      throw isUnreadable(error) ? invalidInput([error], scope) : error
    })
    return c.json(await batcher.submit(input), 200)
  }
  return Object.assign(batchRouteHandler, { batcher })
}

type Schemas = { readonly [T in BatchRouteTarget]: Schema | undefined }

function onlySchema(schemas: Schemas): [BatchRouteTarget, Schema] {
  const given = Object.entries(schemas).filter(([, schema]) => schema !== undefined)
  const [first] = given
  if (first === undefined || given.length > 1 || !isSchema(first[1])) {
    const got = given.map(([target, schema]) => `\`${target}\`: ${typeof schema}`).join(', ')
    throw new TypeError(
      'batchRoute(): Expected one of `json`, `form`, `query` and `param` to be a Standard Schema, ' +
        `got ${got || 'none'}. Likely cause: a validator whose version is older than Standard Schema. ` +
        'Cure: pass a schema of zod 3.24, valibot 1 or arktype 2, or later; for several parts use batched().',
    )
  }
  return first as [BatchRouteTarget, Schema]
}

/** Hono's validator says so in plain text, which is not what the types of the 400 say. */
function isUnreadable(error: unknown): error is HTTPException {
  return error instanceof HTTPException && error.status === 400 && error.res === undefined
}

function isSchema(value: unknown): value is Schema {
  return (
    // Those of arktype are functions.
    ((typeof value === 'object' && value !== null) || typeof value === 'function') &&
    '~standard' in value
  )
}
