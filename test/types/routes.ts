/** The 503 and 504 of routes that batch are in the client's types. */
import { createBatcher, createStreamBatcher } from '@heddle/core'
import {
  batched,
  batchRoute,
  type DeadlineProblem,
  heddle,
  type InvalidInput,
  type OverloadProblem,
  streamBatched,
} from '@heddle/hono'
import { sValidator } from '@hono/standard-validator'
import { expectTypeOf } from 'expect-type'
import { Hono } from 'hono'
import { validator } from 'hono-openapi'
import {
  type ApplyGlobalResponse,
  hc,
  type InferRequestType,
  type InferResponseType,
} from 'hono/client'
import * as v from 'valibot'
import * as z from 'zod'

const lengths = createBatcher({
  name: 'lengths',
  run: (words: readonly string[]) => words.map((word) => ({ length: word.length })),
})
const letters = createStreamBatcher({
  name: 'letters',
  async *run(words: readonly string[]) {
    for (const [index, word] of words.entries()) yield [index, word.charAt(0)] as const
  },
})

const app = new Hono()
  .use(heddle())
  .post(
    '/zod',
    sValidator('json', z.object({ text: z.string() })),
    batched('lengthOf', lengths),
    async (c) => c.json(await c.var.lengthOf(c.req.valid('json').text), 200),
  )
  .post(
    '/openapi',
    validator('json', v.object({ text: v.string() })),
    batched('lengthOf', lengths),
    async (c) => c.json(await c.var.lengthOf(c.req.valid('json').text), 200),
  )
  .post(
    '/route',
    batchRoute({ name: 'route', json: v.object({ at: v.string() }) }, (inputs) =>
      inputs.map(({ at }) => (at === '' ? new Error('none') : { at: new Date(at) })),
    ),
  )
  .get('/letters', async (c) => streamBatched(c, letters.stream('word')))

const client = hc<typeof app>('http://localhost')

type Routes = typeof client.zod.$post | typeof client.openapi.$post
expectTypeOf<InferRequestType<Routes>>().toEqualTypeOf<{ json: { text: string } }>()
expectTypeOf<InferResponseType<Routes, 200>>().toEqualTypeOf<{ length: number }>()
expectTypeOf<InferResponseType<Routes, 503>>().toEqualTypeOf<OverloadProblem>()
expectTypeOf<InferResponseType<Routes, 504>>().toEqualTypeOf<DeadlineProblem>()

type Route = typeof client.route.$post
expectTypeOf<InferRequestType<Route>>().toEqualTypeOf<{ json: { at: string } }>()
expectTypeOf<InferResponseType<Route, 200>>().toEqualTypeOf<{ at: string }>()
expectTypeOf<InferResponseType<Route, 400>>().toEqualTypeOf<InvalidInput>()
expectTypeOf<InferResponseType<Route, 503>>().toEqualTypeOf<OverloadProblem>()

expectTypeOf<InferResponseType<typeof client.letters.$get, 503>>().toEqualTypeOf<OverloadProblem>()

new Hono()
  .post(
    '/',
    sValidator('json', z.object({ text: z.number() })),
    batched('of', lengths),
    async (c) =>
      // @ts-expect-error the wrong validator for this batcher
      c.json(await c.var.of(c.req.valid('json').text), 200),
  )
  .get('/', batched('of', lengths), (c) => {
    // @ts-expect-error no such variable
    void c.var.other
    return c.text('', 200)
  })
// @ts-expect-error the schema gives no such property
batchRoute({ name: 'a', json: z.object({ text: z.string() }) }, (inputs) => inputs.map((i) => i.n))
// @ts-expect-error one result per input, in an array
batchRoute({ name: 'b', json: z.object({ text: z.string() }) }, () => 1)
// @ts-expect-error no Standard Schema
void (() => batchRoute({ name: 'c', json: { text: 'string' } }, () => []))
// @ts-expect-error no schema
void (() => batchRoute({ name: 'd' }, () => []))
// @ts-expect-error no batcher
void (() => batched('of', {}))
new Hono().get('/', async (c) => {
  const stream = letters.stream('word')
  // @ts-expect-error lines are JSON
  void streamBatched(c, stream, { format: 'ndjson', message: () => ({ data: '' }) })
  // @ts-expect-error chunks are strings
  void streamBatched(c, stream, { message: (chunk: number) => ({ data: String(chunk) }) })
  // @ts-expect-error a batcher is no stream
  return streamBatched(c, letters)
})

// The plain form may say so of every route of an app at once.
const plain = new Hono().get('/', async (c) => c.json(await lengths.submit('word'), 200))
type WithProblems = ApplyGlobalResponse<
  typeof plain,
  { 503: { json: OverloadProblem }; 504: { json: DeadlineProblem } }
>
const plainClient = hc<WithProblems>('http://localhost')
type Plain = typeof plainClient.index.$get
expectTypeOf<InferResponseType<Plain, 200>>().toEqualTypeOf<{ length: number }>()
expectTypeOf<InferResponseType<Plain, 503>>().toEqualTypeOf<OverloadProblem>()
