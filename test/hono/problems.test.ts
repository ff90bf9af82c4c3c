import { type Batch, BatcherError, createBatcher } from '@heddle/core'
import { heddle, type HeddleOptions } from '@heddle/hono'
import { Hono } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { describe, expect, it } from 'vitest'

import { crank, turn, until } from '../support/crank.ts'

type Run = (inputs: readonly number[], batch: Batch<number>) => any

/** An app whose one route submits its number to a batcher with this batch function. */
function appWith(run: Run, options?: HeddleOptions, batcherOptions = {}): Hono {
  const batcher = createBatcher<number, number>({ name: 'secret-name', run, ...batcherOptions })
  const app = new Hono()
  app.use(heddle(options))
  app.get('/:n', async (c) => c.json(await batcher.submit(Number(c.req.param('n')))))
  return app
}

async function answer(
  app: Hono,
  path = '/1',
): Promise<{ status: number; type: string | null; body: any }> {
  const response = await app.request(path, { headers: { 'x-request-id': 'r1' } })
  const type = response.headers.get('content-type')
  const text = await response.text()
  return { status: response.status, type, body: type?.includes('json') ? JSON.parse(text) : text }
}

const problemType = 'application/problem+json'

describe('errors of a batcher as answers', () => {
  it('503 with Retry-After when the queue is full', async () => {
    const { run, calls } = crank<number>()
    const app = appWith(run, {}, { maxQueueSize: 1 })
    const first = app.request('/1')
    await turn()
    const second = app.request('/2')
    const refused = await app.request('/3', { headers: { 'x-request-id': 'r3' } })
    expect(refused.status).toBe(503)
    expect(refused.headers.get('content-type')).toBe(problemType)
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
    expect(refused.headers.get('x-request-id')).toBe('r3')
    expect(await refused.json()).toMatchObject({
      type: 'about:blank',
      title: 'Service Unavailable',
      status: 503,
      code: 'QUEUE_FULL',
      requestId: 'r3',
    })
    calls[0]?.finish([1])
    await first
    await turn()
    calls[1]?.finish([2])
    expect((await second).status).toBe(200)
  })

  it.each<[string, number, Run, HeddleOptions, object]>([
    ['DEADLINE_EXCEEDED', 504, () => new Promise(() => {}), { timeout: 5 }, {}],
    ['DEADLINE_EXCEEDED', 504, () => new Promise(() => {}), {}, { timeout: 5 }],
    ['ITEM_TOO_LARGE', 413, (ns) => ns, {}, { cost: () => 2, maxBatchCost: 1 }],
    ['RESULT_MISMATCH', 500, () => [], {}, {}],
    [
      'BATCH_FAILED',
      500,
      () => {
        throw new Error('password=1234')
      },
      {},
      {},
    ],
  ])('%s is %i', async (code, status, run, options, batcherOptions) => {
    const result = await answer(appWith(run, options, batcherOptions))
    expect(result).toMatchObject({
      status,
      type: problemType,
      body: { code, status, requestId: 'r1' },
    })
  })

  it('503 after close, 429 for a full queue if asked for', async () => {
    const batcher = createBatcher<number, number>({ name: 'b', run: (ns) => ns })
    const app = new Hono()
    app.use(heddle({ overloadStatus: 429 }))
    app.get('/', async (c) => c.json(await batcher.submit(1)))
    await batcher.close()
    expect((await app.request('/')).status).toBe(503)
    const { run, calls } = crank<number>()
    const full = appWith(run, { overloadStatus: 429 }, { maxQueueSize: 1 })
    const waiting = [full.request('/1')]
    await turn()
    waiting.push(full.request('/2'))
    expect((await full.request('/3')).status).toBe(429)
    for (let n = 0; n < 2; n += 1) {
      await until(() => calls.length > n)
      calls[n]?.finish([n])
    }
    await Promise.all(waiting)
  })

  it('have a message that may be sent to a client, and the cause for the log', async () => {
    const logged: string[] = []
    const app = appWith(() => {
      throw new Error('password=1234')
    })
    app.onError((error, c) => {
      const { cause } = error
      if (cause instanceof BatcherError) logged.push(cause.code, cause.message)
      return c.text(error.message, 500)
    })
    expect(await answer(app)).toMatchObject({ status: 500, body: 'Internal Server Error' })
    expect(logged).toEqual(['BATCH_FAILED', expect.stringContaining('secret-name')])
  })

  it('say nothing of batch-mates', async () => {
    const run: Run = (ns) =>
      ns.map((n) => (n === 1 ? new Error('the secret of 1') : new HTTPException(422)))
    const app = appWith(run)
    app.onError((error) =>
      error instanceof HTTPException ? error.getResponse() : Response.json({ own: error.message }),
    )
    const [first, second] = await Promise.all([answer(app, '/1'), answer(app, '/2')])
    expect(first.body).toEqual({ own: 'the secret of 1' })
    expect(JSON.stringify(second)).not.toContain('secret')
    expect(second.status).toBe(422)
  })

  it('reach the handler as both: a BatcherError by its code, an HTTPException with its cause', async () => {
    const batcher = createBatcher<number, number>({ name: 'b', run: () => [] })
    const app = new Hono()
    app.use(heddle())
    app.get('/', async (c) => {
      const error = await batcher.submit(1).catch((reason: unknown) => reason)
      return c.json([
        error instanceof BatcherError && error.code,
        error instanceof HTTPException && error.status,
        error instanceof Error && error.cause instanceof BatcherError && error.cause.code,
      ])
    })
    expect(await (await app.request('/')).json()).toEqual([
      'RESULT_MISMATCH',
      500,
      'RESULT_MISMATCH',
    ])
  })

  it('are left alone with `problems: false`', async () => {
    const seen: unknown[] = []
    const app = appWith(() => [], { problems: false })
    app.onError((error, c) => {
      seen.push(error instanceof HTTPException, (error as BatcherError).code)
      return c.text('own', 418)
    })
    expect((await answer(app)).status).toBe(418)
    expect(seen).toEqual([false, 'RESULT_MISMATCH'])
  })

  it('are decided once by the app’s own onError', async () => {
    const seen: unknown[] = []
    const app = appWith(() => [])
    app.onError((error, c) => {
      seen.push(error instanceof HTTPException && error.status)
      return c.text('own', 418)
    })
    expect(await answer(app)).toMatchObject({ status: 418, body: 'own' })
    expect(seen).toEqual([500])
  })
})

describe('an item’s own error', () => {
  it('is itself when it is an HTTPException', async () => {
    const app = appWith((ns) =>
      ns.map((n) => (n === 1 ? new HTTPException(422, { message: 'odd' }) : n)),
    )
    const [odd, even] = await Promise.all([answer(app, '/1'), answer(app, '/2')])
    expect(odd).toMatchObject({ status: 422, body: 'odd' })
    expect(even).toMatchObject({ status: 200, body: 2 })
  })

  it('keeps its status for all when one HTTPException stands in several places', async () => {
    const res = new Response('{"own":true}', { status: 409, headers: { 'x-own': 'yes' } })
    for (const shared of [
      new HTTPException(404, { message: 'none' }),
      new HTTPException(409, { res }),
    ]) {
      const app = appWith((ns) => ns.map(() => shared))
      const answers = await Promise.all(['/1', '/2', '/3'].map((path) => app.request(path)))
      expect(answers.map(({ status }) => status)).toEqual([
        shared.status,
        shared.status,
        shared.status,
      ])
      const bodies = await Promise.all(answers.map((one) => one.text()))
      expect(new Set(bodies).size).toBe(1)
      expect(bodies[0]).toBe(shared.res ? '{"own":true}' : 'none')
    }
  })

  it('keeps its status when the batch function throws it for all', async () => {
    const app = appWith(() => Promise.reject(new HTTPException(502, { message: 'upstream' })))
    expect(await answer(app)).toMatchObject({ status: 502, body: 'upstream' })
  })

  it('is Hono’s 500 otherwise, and the app’s to decide', async () => {
    const own = new RangeError('own')
    const app = appWith(() => [own])
    const seen: unknown[] = []
    app.onError((error, c) => {
      seen.push(error)
      return c.text('failed', 500)
    })
    expect((await answer(app)).status).toBe(500)
    expect(seen).toEqual([own])
  })
})

describe('a client that has left', () => {
  it('is a 499 for logs and traces', async () => {
    const { run } = crank<number>()
    const app = appWith(run)
    const client = new AbortController()
    const response = app.request('/1', { signal: client.signal })
    await turn()
    client.abort()
    expect((await response).status).toBe(499)
  })
})
