/** What `hc` knows of routes that batch. The assertions are the compiler's; `tsc -b test` makes them. */
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
import { Hono } from 'hono'
import {
  type ApplyGlobalResponse,
  hc,
  type InferRequestType,
  type InferResponseType,
} from 'hono/client'
import * as v from 'valibot'
import { describe, expect, expectTypeOf, it } from 'vitest'
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

const withText = z.object({ text: z.string(), times: z.string().transform(Number) })

const app = new Hono()
  .use(heddle())
  .post('/plain', sValidator('json', withText), batched('measure', lengths), async (c) =>
    c.json(await c.var.measure(c.req.valid('json').text), 200),
  )
  .post(
    '/route/zod',
    batchRoute({ name: 'zod', json: withText, cost: ({ times }) => times }, (inputs) =>
      inputs.map(({ text, times }) => ({ text, at: new Date(times) })),
    ),
  )
  .get(
    '/route/:id',
    batchRoute({ name: 'valibot', param: v.object({ id: v.string() }) }, (inputs) =>
      inputs.map(({ id }) => (id === '' ? new Error('none') : { id })),
    ),
  )

const client = hc<typeof app>('http://localhost')

describe('the types of a route with batched()', () => {
  it('have the request of its validator, and the answers of its handler and its batcher', () => {
    type Route = typeof client.plain.$post
    expectTypeOf<InferRequestType<Route>>().toEqualTypeOf<{
      json: { text: string; times: string }
    }>()
    expectTypeOf<InferResponseType<Route, 200>>().toEqualTypeOf<{ length: number }>()
    expectTypeOf<InferResponseType<Route, 503>>().toEqualTypeOf<OverloadProblem>()
    expectTypeOf<InferResponseType<Route, 504>>().toEqualTypeOf<DeadlineProblem>()
    expectTypeOf<OverloadProblem['code']>().toEqualTypeOf<'QUEUE_FULL' | 'BATCHER_CLOSED'>()
  })

  it('may be those of every route of an app', () => {
    const plain = new Hono().get('/', async (c) => c.json(await lengths.submit('word'), 200))
    type WithProblems = ApplyGlobalResponse<
      typeof plain,
      { 503: { json: OverloadProblem }; 504: { json: DeadlineProblem } }
    >
    type Route = (typeof plainClient)['index']['$get']
    const plainClient = hc<WithProblems>('http://localhost')
    expectTypeOf<InferResponseType<Route, 200>>().toEqualTypeOf<{ length: number }>()
    expectTypeOf<InferResponseType<Route, 503>>().toEqualTypeOf<OverloadProblem>()
  })

  it('reject what the batcher does not take, and give what it gives', () => {
    new Hono().post('/', batched('measure', lengths), batched('letters', letters), (c) => {
      expectTypeOf(c.var.measure('word')).toEqualTypeOf<Promise<{ length: number }>>()
      expectTypeOf(c.var.letters('word')).toEqualTypeOf<AsyncIterable<string>>()
      // @ts-expect-error the batcher takes strings
      void c.var.measure(1)
      // @ts-expect-error no such variable
      void c.var.other
      return c.text('', 200)
    })
    const withNumber = sValidator('json', z.object({ text: z.number() }))
    new Hono().post('/', withNumber, batched('measure', lengths), async (c) =>
      // @ts-expect-error the wrong validator for this batcher
      c.json(await c.var.measure(c.req.valid('json').text), 200),
    )
    // @ts-expect-error no batcher
    expect(() => batched('measure', {})).toThrow(TypeError)
  })
})

describe('the types of a batchRoute()', () => {
  it('have the input and the output of its schema, and every answer', () => {
    type Route = (typeof client.route.zod)['$post']
    expectTypeOf<InferRequestType<Route>>().toEqualTypeOf<{
      json: { text: string; times: string }
    }>()
    // As JSON has it.
    expectTypeOf<InferResponseType<Route, 200>>().toEqualTypeOf<{ text: string; at: string }>()
    expectTypeOf<InferResponseType<Route, 400>>().toEqualTypeOf<InvalidInput>()
    expectTypeOf<InferResponseType<Route, 503>>().toEqualTypeOf<OverloadProblem>()
    expectTypeOf<InferResponseType<Route, 504>>().toEqualTypeOf<DeadlineProblem>()
  })

  it('know the errors in the place of a result, and other parts of a request', () => {
    type Route = (typeof client.route)[':id']['$get']
    expectTypeOf<InferRequestType<Route>>().toEqualTypeOf<{ param: { id: string } }>()
    expectTypeOf<InferResponseType<Route, 200>>().toEqualTypeOf<{ id: string }>()
  })

  it('reject a batch function for another schema', () => {
    const json = z.object({ text: z.string() })
    // @ts-expect-error the schema gives no such property
    batchRoute({ name: 'a', json }, (inputs) => inputs.map((input) => input.number))
    // @ts-expect-error one result per input, in an array
    batchRoute({ name: 'b', json }, () => 1)
    // @ts-expect-error no Standard Schema
    expect(() => batchRoute({ name: 'c', json: { text: 'string' } }, () => [])).toThrow(TypeError)
    // @ts-expect-error no schema
    expect(() => batchRoute({ name: 'd' }, () => [])).toThrow(TypeError)
  })
})

describe('the types of a stream', () => {
  it('have what may prevent it', () => {
    const streams = new Hono()
      .use(heddle())
      .get('/letters', async (c) => streamBatched(c, letters.stream('word')))
    type Route = (typeof streamClient)['letters']['$get']
    const streamClient = hc<typeof streams>('http://localhost')
    expectTypeOf<InferResponseType<Route, 503>>().toEqualTypeOf<OverloadProblem>()
    expectTypeOf<InferResponseType<Route, 504>>().toEqualTypeOf<DeadlineProblem>()
    // As `c.body()` has it.
    expectTypeOf<InferResponseType<Route, 200>>().toEqualTypeOf<ReadableStream>()
  })

  it('reject options of another format, and another chunk', () => {
    new Hono().get('/', async (c) => {
      const stream = letters.stream('word')
      // @ts-expect-error lines are JSON
      void streamBatched(c, stream, { format: 'ndjson', message: () => ({ data: '' }) })
      // @ts-expect-error chunks are strings
      void streamBatched(c, stream, { message: (chunk: number) => ({ data: String(chunk) }) })
      // @ts-expect-error a batcher is no stream
      return streamBatched(c, letters)
    })
    expectTypeOf(streamBatched).toBeFunction()
  })
})
