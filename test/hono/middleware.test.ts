import { createKey, type Scope, tryCurrent } from '@heddle/context'
import { createBatcher } from '@heddle/core'
import { heddle, type HeddleVariables, scopeOf } from '@heddle/hono'
import { Hono } from 'hono'
import { contextStorage, getContext } from 'hono/context-storage'
import { requestId } from 'hono/request-id'
import { streamSSE } from 'hono/streaming'
import { describe, expect, it } from 'vitest'

import { crank, echo, ended, sleep, turn, until } from '../support/crank.ts'
import { listen } from '../support/server.ts'

type App = Hono<{ Variables: HeddleVariables }>

const name = createKey<string>('test.hono.name')

function appWith(options?: Parameters<typeof heddle>[0]): App {
  const app: App = new Hono()
  app.use(heddle(options))
  return app
}

describe('the scope of a request', () => {
  it('is current in handlers and middleware, and reached by the context', async () => {
    const app = appWith()
    app.use(async (_c, next) => {
      name.setOnce('middleware')
      await next()
    })
    app.get('/', (c) => {
      const scope = c.get('scope')
      return c.json([scope === tryCurrent(), scope === scopeOf(c), scope.kind, name.get()])
    })
    expect(await (await app.request('/')).json()).toEqual([true, true, 'request', 'middleware'])
  })

  it('is one when the middleware stands in the chain twice', async () => {
    const app = appWith()
    const scopes: Scope[] = []
    const note = async (
      c: Parameters<typeof scopeOf>[0],
      next: () => Promise<void>,
    ): Promise<void> => {
      scopes.push(scopeOf(c))
      await next()
    }
    const inner: App = new Hono()
    inner.use(heddle(), note)
    inner.get('/', (c) => c.text('ok'))
    app.use(note)
    app.route('/inner', inner)
    const response = await app.request('/inner')
    expect(scopes).toHaveLength(2)
    expect(scopes[0]).toBe(scopes[1])
    expect(response.headers.get('x-request-id')).toBe(scopes[0]?.id)
  })

  it('has the deadline of `timeout`', async () => {
    const { run } = crank<number>()
    const batcher = createBatcher({ name: 'slow', run })
    const app = appWith({ timeout: 10 })
    app.get('/', async (c) => c.json(await batcher.submit(1)))
    expect((await app.request('/')).status).toBe(504)
  })

  it('closes when the body has ended, for a stream long after the handler', async () => {
    const app = appWith()
    const states: string[] = []
    let scope: Scope | undefined
    app.get('/stream', (c) => {
      const opened = c.get('scope')
      scope = opened
      return streamSSE(c, async (stream) => {
        for (let n = 0; n < 3; n += 1) {
          await stream.writeSSE({ data: name.get() ?? String(n) })
          states.push(opened.state)
          await sleep(2)
        }
      })
    })
    await using server = await listen(app)
    const response = await fetch(`${server.url}/stream`)
    expect(await response.text()).toContain('data: 2')
    expect(states).toHaveLength(3)
    expect(states).not.toContain('closed')
    await until(() => scope?.state === 'closed')
  })

  it.each([
    ['JSON', '/json', 'GET'],
    ['an empty answer', '/empty', 'GET'],
    ['HEAD', '/json', 'HEAD'],
    ['a redirect', '/redirect', 'GET'],
    ['an error', '/error', 'GET'],
    ['no route', '/nowhere', 'GET'],
  ])('closes after %s, on a socket and in process', async (_case, path, method) => {
    const scopes: Scope[] = []
    const app = appWith()
    app.use(async (c, next) => {
      scopes.push(c.get('scope'))
      await next()
    })
    app.get('/json', (c) => c.json({ ok: true }))
    app.get('/empty', (c) => c.body(null, 204))
    app.get('/redirect', (c) => c.redirect('/json'))
    app.get('/error', () => {
      throw new Error('handler')
    })
    app.onError((_error, c) => c.text('failed', 500))
    await using server = await listen(app)
    const overSocket = await fetch(`${server.url}${path}`, { method, redirect: 'manual' })
    await overSocket.arrayBuffer()
    const inProcess = await app.request(path, { method })
    await inProcess.arrayBuffer()
    await until(() => scopes.every(({ state }) => state === 'closed'))
    expect(scopes).toHaveLength(2)
    expect(overSocket.status).toBe(inProcess.status)
  })

  it('is aborted when the client leaves: its queued items are gone before the next batch', async () => {
    const { run, calls } = crank<string>()
    const batcher = createBatcher({ name: 'leaving', run })
    const outcomes: Promise<unknown>[] = []
    const app = appWith()
    app.get('/:word', async (c) => {
      const item = batcher.submit(c.req.param('word'))
      outcomes.push(ended(item))
      return c.text(await item)
    })
    await using server = await listen(app)
    const first = fetch(`${server.url}/first`)
    await until(() => calls.length === 1)
    const client = new AbortController()
    const leaving = ended(fetch(`${server.url}/leaving`, { signal: client.signal }))
    await until(() => batcher.stats().queued === 1)
    client.abort()
    await leaving
    await until(() => batcher.stats().queued === 0)
    const last = fetch(`${server.url}/last`)
    await until(() => batcher.stats().queued === 1)
    calls[0]?.finish(['first'])
    await until(() => calls.length === 2)
    expect(calls[1]?.inputs).toEqual(['last'])
    calls[1]?.finish(['last'])
    expect(await (await first).text()).toBe('first')
    expect(await (await last).text()).toBe('last')
    expect(batcher.stats().rejected.aborted).toBe(1)
  })
})

describe('the request id', () => {
  async function idFor(
    incoming: string | undefined,
    options?: Parameters<typeof heddle>[0],
    header = 'x-request-id',
  ): Promise<{ id: string; answered: string | null }> {
    const app = appWith(options)
    app.get('/', (c) => c.text(`${c.get('requestId')} ${c.get('scope').id}`))
    const response = await app.request(
      '/',
      incoming === undefined ? {} : { headers: { [header]: incoming } },
    )
    const [id = '', scopeId] = (await response.text()).split(' ')
    expect(scopeId).toBe(id)
    return { id, answered: response.headers.get(header) }
  }

  it('comes in, is the scope’s, and goes out', async () => {
    expect(await idFor('abc-123_=.')).toEqual({ id: 'abc-123_=.', answered: 'abc-123_=.' })
  })

  it.each(['with space', 'quote"', 'ümlaut', '<script>', 'x'.repeat(129), ''])(
    'is a new one when %o comes in',
    async (incoming) => {
      const { id, answered } = await idFor(incoming)
      expect(id).toMatch(/^[\da-f-]{36}$/)
      expect(answered).toBe(id)
    },
  )

  it('is a new one when nobody is trusted', async () => {
    const { id } = await idFor('abc', { requestId: { trust: false, generate: () => 'mine' } })
    expect(id).toBe('mine')
  })

  it('comes by another header', async () => {
    const options = { requestId: { header: 'X-Trace' } }
    expect(await idFor('abc', options, 'x-trace')).toEqual({ id: 'abc', answered: 'abc' })
  })

  it('is the one that `requestId()` of Hono has set before', async () => {
    const app: App = new Hono()
    app.use(requestId({ generator: () => 'hono' }), heddle())
    app.get('/', (c) => c.text(c.get('scope').id))
    expect(await (await app.request('/')).text()).toBe('hono')
  })

  it('is set on answers whose headers cannot be changed', async () => {
    const app = appWith()
    app.get('/', () => Response.redirect('http://localhost/elsewhere'))
    const response = await app.request('/', { headers: { 'x-request-id': 'abc' } })
    expect([response.status, response.headers.get('x-request-id')]).toEqual([302, 'abc'])
  })
})

describe('Server-Timing', () => {
  it('tells the queue and the run of each item, and the total', async () => {
    const { run } = echo<number>()
    const batcher = createBatcher({ name: 'timed', run })
    const app = appWith({ serverTiming: true })
    app.get('/', async (c) => c.json(await Promise.all([batcher.submit(1), batcher.submit(2)])))
    const header = (await app.request('/')).headers.get('server-timing')
    const item = String.raw`queue;dur=\d+\.\d\d;desc="timed", run;dur=\d+\.\d\d;desc="timed, batch of 2"`
    expect(header).toMatch(new RegExp(String.raw`^${item}, ${item}, total;dur=\d+\.\d\d$`))
  })

  it('belongs to the request, also when requests share a batch', async () => {
    const { run, batches } = echo<number>()
    const batcher = createBatcher({ name: 'shared', run, maxBatchSize: 2, linger: 3_600_000 })
    const app = appWith({ serverTiming: true })
    app.get('/', async (c) => {
      if (c.req.query('batch')) await batcher.submit(1)
      return c.text('ok')
    })
    const headers = (
      await Promise.all(['/?batch=1', '/?batch=2', '/'].map((path) => app.request(path)))
    ).map((response) => response.headers.get('server-timing')?.match(/batch of 2/g)?.length ?? 0)
    expect(batches).toEqual([[1, 1]])
    expect(headers).toEqual([1, 1, 0])
  })

  it('is left out when it is turned off', async () => {
    const app = appWith({ serverTiming: false })
    app.get('/', (c) => c.text('ok'))
    expect((await app.request('/')).headers.has('server-timing')).toBe(false)
  })
})

describe('beside Hono’s own middleware', () => {
  it.each(['before', 'after'])('contextStorage %s', async (place) => {
    const app: App = new Hono()
    if (place === 'before') app.use(contextStorage(), heddle())
    else app.use(heddle(), contextStorage())
    const seen: unknown[] = []
    const batcher = createBatcher<number, number>({
      name: 'beside',
      run: (inputs, batch) => {
        for (const item of batch.items) {
          seen.push(item.run(() => getContext<{ Variables: HeddleVariables }>().get('requestId')))
        }
        return inputs
      },
    })
    app.get('/', async (c) => {
      await batcher.submit(1)
      return c.text(getContext<{ Variables: HeddleVariables }>().get('requestId'))
    })
    const response = await app.request('/', { headers: { 'x-request-id': 'abc' } })
    expect(await response.text()).toBe('abc')
    expect(seen).toEqual(['abc'])
    await turn()
  })
})
