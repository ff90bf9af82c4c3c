/** The headers that `heddle()` reads and writes, which on Node go past the Request and the Response. */
import { heddle, scopeOf } from '@heddle/hono'
import { Hono } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { requestId } from 'hono/request-id'
import { timeout } from 'hono/timeout'
import { describe, expect, it } from 'vitest'

import { listen } from '../support/server.ts'
import { collectedWarnings } from '../support/warnings.ts'

type Send = (path: string, headers?: Record<string, string>) => Promise<Response>

const transports: Readonly<Record<string, (app: Hono<any>) => Promise<Send & AsyncDisposable>>> = {
  async 'a socket'(app) {
    const server = await listen(app)
    const send: Send = (path, headers = {}) => fetch(server.url + path, { headers })
    return Object.assign(send, { [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() })
  },
  'in process'(app) {
    const send: Send = async (path, headers = {}) => app.request(path, { headers })
    return Promise.resolve(Object.assign(send, { [Symbol.asyncDispose]: () => Promise.resolve() }))
  },
}

function appOf(): Hono<any> {
  const app = new Hono<any>()
  app.onError((_error, c) => c.text('mended', 500))
  app.use(heddle({ serverTiming: true }))
  app.get('/json', (c) => c.json({ id: scopeOf(c).id }))
  app.get('/empty', (c) => c.body(null, 204))
  app.get('/bare', () => new Response('plain'))
  app.get('/stream', () => new Response(new Blob(['a', 'b']).stream()))
  app.get('/throws', () => {
    throw new Error('broken')
  })
  app.get('/own', (c) => {
    c.header('Server-Timing', 'db;dur=5')
    c.header('X-Request-Id', 'mine')
    return c.text('own')
  })
  app.get('/own-plain', () => new Response('own', { headers: { 'server-timing': 'db;dur=5' } }))
  app.get('/inner', async (c) => {
    const answer = await app.request('/json', { headers: { 'X-Request-Id': 'inner' } }, c.env)
    return c.json([answer.headers.get('X-Request-Id'), await answer.json()])
  })
  return app
}

const TOTAL = /^total;dur=\d+\.\d\d$/

const warnings = collectedWarnings()

describe.each(Object.entries(transports))('headers over %s', (_name, open) => {
  it.each([
    ['/json', 200],
    ['/empty', 204],
    ['/bare', 200],
    ['/stream', 200],
    ['/throws', 500],
    ['/nowhere', 404],
  ])('are on the answer of %s', async (path, status) => {
    await using send = await open(appOf())
    const response = await send(path, { 'X-Request-Id': 'abc' })
    expect(response.status).toBe(status)
    expect(response.headers.get('X-Request-Id')).toBe('abc')
    expect(response.headers.get('Server-Timing')).toMatch(TOTAL)
    await response.text()
  })

  it('leave what the app has set as it is', async () => {
    await using send = await open(appOf())
    const own = await send('/own')
    expect(own.headers.get('Server-Timing')).toBe('db;dur=5')
    expect(own.headers.get('X-Request-Id')).toBe('mine')
    const plain = await send('/own-plain')
    expect(plain.headers.get('Server-Timing')).toBe('db;dur=5')
  })

  it('take no id that is not plausible', async () => {
    await using send = await open(appOf())
    const id = (await send('/json', { 'X-Request-Id': 'a b' })).headers.get('X-Request-Id')
    expect(id).toMatch(/^[\da-f-]{36}$/)
  })

  it('are those of a request that the app makes itself, also with its own `c.env`', async () => {
    await using send = await open(appOf())
    const response = await send('/inner', { 'X-Request-Id': 'outer' })
    expect(response.headers.get('X-Request-Id')).toBe('outer')
    expect(await response.json()).toEqual(['inner', { id: 'inner' }])
  })

  it('are those of the request that a middleware has put in the place of what came', async () => {
    const app = new Hono()
    app.use(async (c, next) => {
      c.req.raw = new Request(c.req.raw.url, { headers: { 'X-Request-Id': 'replaced' } })
      await next()
    })
    app.use(heddle())
    app.get('/', (c) => c.text(scopeOf(c).id))
    await using send = await open(app)
    const response = await send('/', { 'X-Request-Id': 'came' })
    expect(await response.text()).toBe('replaced')
    expect(response.headers.get('X-Request-Id')).toBe('replaced')
  })

  it('have one id, that of a middleware behind', async () => {
    const app = new Hono()
    app.use(heddle(), requestId({ headerName: 'X-Correlation-Id', generator: () => 'other' }))
    app.get('/', (c) => c.text('ok'))
    await using send = await open(app)
    const { headers } = await send('/')
    expect([headers.get('X-Correlation-Id'), headers.get('X-Request-Id')]).toEqual(['other', null])
  })

  it('are left out where an id of the app cannot be sent', async () => {
    const app = new Hono()
    app.use(heddle({ requestId: { generate: () => 'a\nb' } }))
    app.get('/', (c) => c.text(scopeOf(c).id))
    await using send = await open(app)
    const response = await send('/')
    expect([response.status, await response.text()]).toEqual([200, 'a\nb'])
    expect(response.headers.has('X-Request-Id')).toBe(false)
    expect(warnings.map(({ code, topic }) => [code, topic])).toEqual([
      ['INVALID_HEADER', 'X-Request-Id'],
    ])
  })

  it.each([
    ['', 'an empty one'],
    [7, 'number'],
    [Promise.resolve('late'), 'object'],
  ])('have a made id where `generate` gives %o', async (generated, got) => {
    const app = new Hono()
    app.use(heddle({ requestId: { generate: () => generated as string } }))
    app.get('/', (c) => c.text(scopeOf(c).id))
    await using send = await open(app)
    const response = await send('/')
    const id = await response.text()
    expect(id).toMatch(/^[\da-f-]{36}$/)
    expect(response.headers.get('X-Request-Id')).toBe(id)
    expect(warnings.map(({ message }) => message)).toEqual([
      `\`requestId.generate\` must return a string, got ${got}`,
    ])
  })

  it('come too late where somebody has answered before', async () => {
    let answer = (): void => {}
    let hasAnswered = (): void => {}
    const answered = new Promise<void>((resolve) => (hasAnswered = resolve))
    const failures: Error[] = []
    const app = new Hono()
    app.onError((error) => {
      failures.push(error)
      return error instanceof HTTPException ? error.getResponse() : new Response(null)
    })
    app.use(timeout(1))
    app.use(async (_c, next) => {
      await next()
      hasAnswered()
    })
    app.use(heddle())
    app.get('/', async (c) => {
      await new Promise<void>((resolve) => (answer = resolve))
      return c.text('late')
    })
    await using send = await open(app)
    const response = await send('/')
    expect(response.status).toBe(504)
    await response.text()
    answer()
    await answered
    expect(failures.map(({ message }) => message)).toEqual(['Gateway Timeout'])
  })
})
