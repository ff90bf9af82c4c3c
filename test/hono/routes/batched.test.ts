import { createKey } from '@heddle/context'
import { createBatcher, createStreamBatcher } from '@heddle/core'
import { batched, batchRoute, heddle } from '@heddle/hono'
import { Hono } from 'hono'
import { HTTPException } from 'hono/http-exception'
import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'

import { crank, echo, turn } from '../../support/crank.ts'

const asJson = { 'content-type': 'application/json', 'x-request-id': 'r1' }

function post(app: Hono<any>, body: unknown, path = '/'): Promise<Response> {
  return Promise.resolve(
    app.request(path, { method: 'POST', headers: asJson, body: JSON.stringify(body) }),
  )
}

describe('batched()', () => {
  it('puts the batcher into c.var, and requests share batches', async () => {
    const { run, batches } = echo<number>()
    const double = createBatcher({ name: 'double', run })
    const app = new Hono().use(heddle()).get('/:n', batched('double', double), async (c) => {
      const n = await c.var.double(Number(c.req.param('n')))
      return c.json(n, 200)
    })
    const answers = await Promise.all(['/1', '/2'].map(async (path) => app.request(path)))
    expect(await Promise.all(answers.map((answer) => answer.json()))).toEqual([1, 2])
    expect(batches).toEqual([[1, 2]])
  })

  it('takes a batcher of streams, too, and options of a submit', async () => {
    const letters = createStreamBatcher({
      name: 'letters',
      async *run(words: readonly string[]) {
        for (const [index, word] of words.entries()) {
          for (const letter of word) yield [index, letter] as const
        }
      },
    })
    const app = new Hono().use(heddle()).get('/:word', batched('letters', letters), async (c) => {
      const chunks: string[] = []
      const { word } = c.req.param()
      for await (const letter of c.var.letters(word, { priority: 'high' })) chunks.push(letter)
      return c.json(chunks, 200)
    })
    expect(await (await app.request('/abc')).json()).toEqual(['a', 'b', 'c'])
  })

  it('names cause and cure where heddle() has not run, and for what is no batcher', async () => {
    const errors: unknown[] = []
    const app = new Hono().get('/', batched('echo', createBatcher(named('echo'))), (c) =>
      c.text(''),
    )
    app.onError((error, c) => {
      errors.push(error)
      return c.text('', 500)
    })
    await app.request('/')
    expect(errors).toEqual([expect.objectContaining({ code: 'NO_SCOPE' })])
    expect(() => batched('', createBatcher(named('echo')))).toThrow(/`name`.*got ''/)
    expect(() => batched('echo', undefined as never)).toThrow(/a batcher, got undefined/)
  })
})

function named(name: string): { name: string; run: (inputs: readonly number[]) => number[] } {
  return { name, run: (inputs) => [...inputs] }
}

describe('batchRoute()', () => {
  it('validates, batches, and answers with the result', async () => {
    const seen: unknown[] = []
    const json = z.object({ n: z.number(), text: z.string().trim() })
    const route = batchRoute({ name: 'texts', json }, (inputs) => {
      seen.push(inputs)
      return inputs.map(({ n, text }) => ({ n, text }))
    })
    const app = new Hono().use(heddle()).post('/', route)
    const answers = await Promise.all([1, 2].map((n) => post(app, { n, text: ' a ' })))
    expect(answers.map(({ status }) => status)).toEqual([200, 200])
    expect(await answers[1]?.json()).toEqual({ n: 2, text: 'a' })
    expect(seen).toEqual([
      [
        { n: 1, text: 'a' },
        { n: 2, text: 'a' },
      ],
    ])
  })

  it.each([
    ['param', '/p/4', {}],
    ['query', '/q?n=4', {}],
    ['form', '/f', { method: 'POST', body: new URLSearchParams({ n: '4' }) }],
  ])('takes its input from %s', async (_, path, init) => {
    const schema = v.object({ n: v.string() })
    const run = (inputs: readonly { n: string }[]): number[] => inputs.map(({ n }) => Number(n))
    const app = new Hono().use(heddle())
    app.get('/p/:n', batchRoute({ name: 'param', param: schema }, run))
    app.get('/q', batchRoute({ name: 'query', query: schema }, run))
    app.post('/f', batchRoute({ name: 'form', form: schema }, run))
    expect(await (await app.request(path, init)).json()).toBe(4)
  })

  it('answers 400 with what is wrong and where, and the batcher sees none of it', async () => {
    const { run, batches } = echo<unknown>()
    const item = z.object({ 'a/b~': z.string() })
    const json = z.object({ items: z.array(item) })
    const app = new Hono().use(heddle()).post('/', batchRoute({ name: 'items', json }, run))
    const answer = await post(app, { items: [{ 'a/b~': 'ok' }, { 'a/b~': 1 }] })
    expect(answer.status).toBe(400)
    expect(answer.headers.get('content-type')).toBe('application/problem+json')
    expect(await answer.json()).toMatchObject({
      type: 'about:blank',
      title: 'Bad Request',
      status: 400,
      code: 'INVALID_INPUT',
      requestId: 'r1',
      errors: [{ detail: expect.stringContaining('string'), pointer: '#/items/1/a~1b~0' }],
    })
    expect(await (await post(app, 'text')).json()).toMatchObject({ errors: [{ pointer: '#' }] })
    expect(batches).toEqual([])
  })

  it('names what is wrong in any text that a client may send', async () => {
    const json = z.record(z.string(), z.number())
    const run = (inputs: readonly unknown[]): readonly unknown[] => inputs
    const app = new Hono().use(heddle()).post('/', batchRoute({ name: 'odd', json }, run))
    const answer = await post(app, { '\uD800': 'no number' })
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({ errors: [{ pointer: '#/%EF%BF%BD' }] })
  })

  it('answers a body that is no JSON with the same problem', async () => {
    const { run, batches } = echo<unknown>()
    const json = z.object({ n: z.number() })
    const app = new Hono().use(heddle()).post('/', batchRoute({ name: 'broken', json }, run))
    const headers = { 'Content-Type': 'application/json' }
    const answer = await app.request('/', { method: 'POST', body: '{', headers })
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({
      code: 'INVALID_INPUT',
      errors: [{ detail: expect.stringContaining('JSON'), pointer: '#' }],
    })
    expect(batches).toEqual([])
  })

  it('leaves its errors to the app’s own onError', async () => {
    const json = z.object({ n: z.number() })
    const app = new Hono().use(heddle()).post(
      '/',
      batchRoute({ name: 'own', json }, () => []),
    )
    app.onError((error, c) => c.text(error instanceof HTTPException ? 'own' : 'other', 418))
    for (const body of [{ n: 'no number' }, { n: 1 }]) {
      const answer = await post(app, body)
      expect([answer.status, await answer.text()]).toEqual([418, 'own'])
    }
  })

  it('answers 503 when its queue is full, and is closed by its batcher', async () => {
    const { run, calls } = crank<{ n: number }>()
    const json = z.object({ n: z.number() })
    const route = batchRoute({ name: 'full', json, maxBatchSize: 1, maxQueueSize: 1 }, run)
    const app = new Hono().use(heddle()).post('/', route)
    const first = post(app, { n: 1 })
    await turn()
    const second = post(app, { n: 2 })
    await turn()
    expect((await post(app, { n: 3 })).status).toBe(503)
    calls[0]?.finish([{ n: 1 }])
    await first
    await turn()
    calls[1]?.finish([{ n: 2 }])
    expect(await (await second).json()).toEqual({ n: 2 })
    await route.batcher.close()
    const closed = await post(app, { n: 4 })
    expect([closed.status, await closed.json()]).toEqual([
      503,
      expect.objectContaining({ code: 'BATCHER_CLOSED' }),
    ])
  })

  it('submits in the request’s context', async () => {
    const tenant = createKey<string>('test.routes.tenant')
    const json = z.object({ n: z.number() })
    const route = batchRoute({ name: 'tenants', json }, (_, batch) =>
      batch.items.map((item) => [tenant.get() ?? 'nobody', item.get(tenant)]),
    )
    const app = new Hono().use(heddle())
    app.use(async (c, next) => {
      tenant.set(c.req.query('tenant') ?? '')
      await next()
    })
    app.post('/', route)
    const answers = await Promise.all(
      ['a', 'b'].map(async (name) => (await post(app, { n: 1 }, `/?tenant=${name}`)).json()),
    )
    expect(answers).toEqual([
      ['nobody', 'a'],
      ['nobody', 'b'],
    ])
  })

  it('takes one schema', () => {
    const schema = z.object({})
    const both = { name: 'both', json: schema, query: schema }
    expect(() => batchRoute(both, () => [])).toThrow(/got `json`: object, `query`: object/)
    expect(() => batchRoute({ name: 'old', json: { parse() {} } as never }, () => [])).toThrow(
      /Standard Schema, got `json`: object/,
    )
  })
})
