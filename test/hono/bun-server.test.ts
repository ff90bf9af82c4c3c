/**
 * Bun's server tells by `requestIP` whether it still answers a request. Here it is one that the test turns by
 * hand, so that each runtime shows when it is asked, and for what; endings.test.ts has the real one.
 */
import { createKey, type Scope, tryCurrent } from '@heddle/context'
import { heddle, type HeddleVariables, scopeOf } from '@heddle/hono'
import { type Context, Hono } from 'hono'
import { cors } from 'hono/cors'
import { describe, expect, it } from 'vitest'

import { sleep, turn, until } from '../support/crank.ts'

const user = createKey<string>('test.bun.user')

class Server {
  /** In whose context it was asked about a request that it answers. */
  readonly askedIn: (Scope | undefined)[] = []
  readonly #open = new Set<Request>()

  open(request: Request): Request {
    this.#open.add(request)
    return request
  }

  end(request: Request): void {
    this.#open.delete(request)
  }

  readonly requestIP = (request: Request): { address: string } | null => {
    if (!(request instanceof Request)) throw new TypeError('Expected a Request')
    if (!this.#open.has(request)) return null
    this.askedIn.push(tryCurrent())
    return { address: '127.0.0.1' }
  }
}

type App = Hono<{ Variables: HeddleVariables }>

interface Service {
  readonly app: App
  readonly scopes: Scope[]
}

function serviceOf(answer: (c: Context) => Response | Promise<Response>): Service {
  const scopes: Scope[] = []
  const app: App = new Hono()
  app.use('/cors', cors())
  app.use(heddle({ requestId: false, serverTiming: false }))
  app.use(async (c, next) => {
    user.set('ada')
    scopes.push(scopeOf(c))
    await next()
  })
  app.use('/replaced', (c, next) => {
    c.req.raw = new Request(c.req.raw)
    return next()
  })
  app.get('*', answer)
  return { app, scopes }
}

const raw = (): Response => new Response('text')

interface Exchange {
  readonly server: Server
  readonly request: Request
  readonly scope: Scope
  readonly client: AbortController
}

async function exchange(
  answer: (c: Context) => Response | Promise<Response>,
  path = '/',
  envOf: (server: Server) => object = (server) => server,
): Promise<Exchange> {
  const { app, scopes } = serviceOf(answer)
  const server = new Server()
  const client = new AbortController()
  const request = server.open(new Request(`http://localhost${path}`, { signal: client.signal }))
  await app.fetch(request, envOf(server))
  return { server, request, scope: scopes[0]!, client }
}

describe('a response that the app has made itself', () => {
  it.each<[string, string, (server: Server) => object]>([
    ['the server is `c.env`', '/', (server) => server],
    ['the server is in `c.env`', '/', (server) => ({ server, own: 'variable' })],
    ['a middleware has put another request in its place', '/replaced', (server) => server],
    ['another one has copied it', '/cors', (server) => server],
  ])('ends when the server has sent it, if %s', async (_case, path, envOf) => {
    const { server, request, scope } = await exchange(raw, path, envOf)
    await turn()
    expect(scope.state).toBe('settling')
    const asked = server.askedIn.length
    await until(() => server.askedIn.length > asked + 1)
    expect(scope.state).toBe('settling')
    server.end(request)
    await until(() => scope.state === 'closed')
    expect(scope.signal.aborted).toBe(false)
  })

  it('ends when the client has left, with an abort', async () => {
    const { server, request, scope, client } = await exchange(raw)
    client.abort()
    server.end(request)
    await until(() => scope.state === 'closed')
    expect(scope.signal.reason).toBeInstanceOf(Error)
  })

  it('may be one that an error was made to', async () => {
    const { app, scopes } = serviceOf(() => {
      throw new Error('broken')
    })
    app.onError(() => raw())
    const server = new Server()
    const request = server.open(new Request('http://localhost/'))
    await app.fetch(request, server)
    expect(scopes[0]?.state).toBe('settling')
    server.end(request)
    await until(() => scopes[0]?.state === 'closed')
  })

  it('is asked for outside every request’s context, with one timer for all', async () => {
    const all = await Promise.all(Array.from({ length: 5 }, () => exchange(raw)))
    const seen = all.map(({ server }) => server.askedIn)
    // Once in the request itself, to see whether it can be followed at all.
    expect(seen.map(([first, ...later]) => [first?.kind, ...later])).toEqual(
      seen.map(() => ['request']),
    )
    await until(() => seen.every(({ length }) => length > 2))
    for (const [, ...later] of seen) expect(new Set(later)).toEqual(new Set([undefined]))
    // All are asked in the same turn, and when the last one has ended, nobody is any more.
    expect(new Set(seen.map(({ length }) => length)).size).toBe(1)
    for (const { server, request } of all) server.end(request)
    await until(() => all.every(({ scope }) => scope.state === 'closed'))
    const { server, request } = all[0]!
    server.open(request)
    const asked = server.askedIn.length
    await sleep(50)
    expect(server.askedIn).toHaveLength(asked)
  })
})

describe('a response that is not followed', () => {
  it.each<[string, (c: Context) => Response | Promise<Response>]>([
    ['c.text()', (c) => c.text('text')],
    ['c.json()', (c) => c.json({})],
    ['c.html()', (c) => c.html('<p>')],
    ['c.html() of a promise', (c) => c.html(Promise.resolve('<p>'))],
    ['c.body() of bytes', (c) => c.body(new Uint8Array(3))],
    ['c.body() of nothing', (c) => c.body(null, 204)],
    ['c.redirect()', (c) => c.redirect('/there')],
    ['c.notFound()', async (c) => c.notFound()],
  ])('is %s, which is there as a whole: it ends with the handler', async (_case, answer) => {
    const { server, scope } = await exchange(answer)
    expect(scope.state).toBe('closed')
    expect(server.askedIn).toEqual([])
  })

  it('is an answer to HEAD', async () => {
    const { app, scopes } = serviceOf(raw)
    const server = new Server()
    await app.fetch(server.open(new Request('http://localhost/', { method: 'HEAD' })), server)
    expect(scopes[0]?.state).toBe('closed')
  })

  it.each<[string, object]>([
    ['there is no server', {}],
    ['the server tells nothing, as on a unix socket', { requestIP: () => null }],
    ['it says the same of every request, as in a test', { requestIP: () => ({ address: '::1' }) }],
    [
      'it is no server',
      {
        requestIP() {
          throw new TypeError('no')
        },
      },
    ],
    ['`server` is something else', { server: 'unix' }],
  ])('is any where %s: it ends with the handler', async (_case, env) => {
    const { scope } = await exchange(raw, '/', () => env)
    expect(scope.state).toBe('closed')
    expect(scope.signal.aborted).toBe(false)
  })

  it('is one whose client has left before the handler returned', async () => {
    const { app, scopes } = serviceOf((c) => {
      client.abort()
      server.end(c.req.raw)
      return raw()
    })
    const server = new Server()
    const client = new AbortController()
    const request = new Request('http://localhost/', { signal: client.signal })
    await app.fetch(server.open(request), server)
    await until(() => scopes[0]?.state === 'closed')
    expect(scopes[0]?.signal.aborted).toBe(true)
  })
})
