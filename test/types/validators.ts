/** `hc` infers requests and answers through validators, with `heddle()` in front as without it. */
import { createBatcher } from '@heddle/core'
import { heddle } from '@heddle/hono'
import { sValidator } from '@hono/standard-validator'
import { zValidator } from '@hono/zod-validator'
import { expectTypeOf } from 'expect-type'
import { Hono } from 'hono'
import { describeRoute, resolver, validator } from 'hono-openapi'
import { hc, type InferRequestType, type InferResponseType } from 'hono/client'
import * as v from 'valibot'
import * as z from 'zod'

const squares = createBatcher({
  name: 'squares',
  run: (inputs: readonly number[]) => inputs.map((n) => ({ square: n * n, odd: n % 2 === 1 })),
})

const ofZod = z.object({ n: z.string().transform(Number), note: z.string().optional() })
const ofValibot = v.object({
  n: v.pipe(v.string(), v.transform(Number)),
  note: v.optional(v.string()),
})

const app = new Hono()
  .use(heddle())
  .post('/zod', zValidator('json', ofZod), async (c) =>
    c.json(await squares.submit(c.req.valid('json').n), 200),
  )
  .post('/standard-zod', sValidator('json', ofZod), async (c) =>
    c.json(await squares.submit(c.req.valid('json').n), 200),
  )
  .post('/standard-valibot', sValidator('json', ofValibot), async (c) =>
    c.json(await squares.submit(c.req.valid('json').n), 200),
  )
  .post(
    '/openapi',
    describeRoute({
      responses: {
        200: { description: '', content: { 'application/json': { schema: resolver(ofZod) } } },
      },
    }),
    validator('json', ofValibot),
    async (c) => c.json(await squares.submit(c.req.valid('json').n), 200),
  )
  .get('/query', zValidator('query', z.object({ n: z.coerce.number() })), async (c) => {
    const { n } = c.req.valid('query')
    return n < 0 ? c.text('negative', 422) : c.json(await squares.submit(n), 200)
  })

/** The same routes without the middleware. */
const bare = new Hono()
  .post('/zod', zValidator('json', ofZod), async (c) =>
    c.json(await squares.submit(c.req.valid('json').n), 200),
  )
  .get('/query', zValidator('query', z.object({ n: z.coerce.number() })), async (c) => {
    const { n } = c.req.valid('query')
    return n < 0 ? c.text('negative', 422) : c.json(await squares.submit(n), 200)
  })

const client = hc<typeof app>('http://localhost')
const bareClient = hc<typeof bare>('http://localhost')

interface Square {
  square: number
  odd: boolean
}
interface Input {
  json: { n: string; note?: string | undefined }
}

type Zod = typeof client.zod.$post
expectTypeOf<InferRequestType<Zod>>().toEqualTypeOf<Input>()
expectTypeOf<InferResponseType<Zod, 200>>().toEqualTypeOf<Square>()
expectTypeOf<InferResponseType<Zod>>().toEqualTypeOf<
  InferResponseType<typeof bareClient.zod.$post>
>()

type StandardZod = (typeof client)['standard-zod']['$post']
expectTypeOf<InferRequestType<StandardZod>>().toEqualTypeOf<Input>()
expectTypeOf<InferResponseType<StandardZod, 200>>().toEqualTypeOf<Square>()

type StandardValibot = (typeof client)['standard-valibot']['$post']
expectTypeOf<InferRequestType<StandardValibot>>().toEqualTypeOf<Input>()
expectTypeOf<InferResponseType<StandardValibot, 200>>().toEqualTypeOf<Square>()

type OpenApi = typeof client.openapi.$post
expectTypeOf<InferRequestType<OpenApi>>().toEqualTypeOf<Input>()
expectTypeOf<InferResponseType<OpenApi, 200>>().toEqualTypeOf<Square>()

type Query = typeof client.query.$get
expectTypeOf<InferRequestType<Query>>().toEqualTypeOf<
  InferRequestType<typeof bareClient.query.$get>
>()
expectTypeOf<InferResponseType<Query, 422>>().toEqualTypeOf<'negative'>()
expectTypeOf<InferResponseType<Query, 200>>().toEqualTypeOf<Square>()

// @ts-expect-error not what the validator takes
void client.zod.$post({ json: { n: 1 } })
// @ts-expect-error a part is missing
void client.openapi.$post({})
// @ts-expect-error no such route
void client.other

// The wrong validator does not compile, whichever library it is of.
const withText = { text: 'n' } as const
new Hono()
  .use(heddle())
  .post('/', zValidator('json', z.object({ n: z.string() })), async (c) =>
    // @ts-expect-error the batcher takes numbers
    c.json(await squares.submit(c.req.valid('json').n)),
  )
  .post('/', sValidator('json', v.object({ n: v.string() })), async (c) =>
    // @ts-expect-error the batcher takes numbers
    c.json(await squares.submit(c.req.valid('json').n)),
  )
  .post('/', validator('json', ofZod), async (c) =>
    // @ts-expect-error another part of the request
    c.json(await squares.submit(c.req.valid('query').n)),
  )
// @ts-expect-error the batcher takes numbers
void squares.submit(withText)
