/** Where in an app `heddle()` may stand, and what may stand around it. */
import type { Scope } from '@heddle/context'
import { heddle, type HeddleVariables, scopeOf } from '@heddle/hono'
import { type Context, Hono, type MiddlewareHandler } from 'hono'
import { every } from 'hono/combine'
import { stream } from 'hono/streaming'
import { timeout } from 'hono/timeout'
import { describe, expect, it } from 'vitest'

import { ended, until } from '../support/crank.ts'
import { listen } from '../support/server.ts'

type App = Hono<{ Variables: HeddleVariables }>

function noting(scopes: Scope[]): MiddlewareHandler {
  return async function note(c, next) {
    scopes.push(scopeOf(c))
    await next()
  }
}

/** Whether the server has heard that the client is gone. */
function hasLeft({ env, req }: Context): boolean {
  const { outgoing } = env as { readonly outgoing?: { readonly destroyed: boolean } }
  return outgoing ? outgoing.destroyed : req.raw.signal.aborted
}

describe('heddle()', () => {
  it.each<[string, (app: App, inner: App) => unknown, string]>([
    ['in a sub-app', (app, inner) => app.route('/api', inner), '/api/thing'],
    [
      'under a base path',
      (app, inner) => app.basePath('/v1').route('/api', inner),
      '/v1/api/thing',
    ],
    ['in an app that is mounted', (app, inner) => app.mount('/api', inner.fetch), '/api/thing'],
    [
      'on a path',
      (app) => app.use('/thing', heddle()).get('/thing', (c) => c.text('thing')),
      '/thing',
    ],
    ['on a route', (app) => app.get('/thing', heddle(), (c) => c.text('thing')), '/thing'],
    [
      'in a combination',
      (app) => app.use(every(heddle(), heddle())).get('/thing', (c) => c.text('thing')),
      '/thing',
    ],
  ])('works %s', async (_place, place, path) => {
    const inner: App = new Hono()
    inner.use(heddle())
    inner.get('/thing', (c) => c.text(scopeOf(c).kind === 'request' ? 'thing' : 'none'))
    const app: App = new Hono()
    place(app, inner)
    await using server = await listen(app)
    const request = { headers: { 'X-Request-Id': 'abc' } }
    for (const response of [
      await app.request(path, request),
      await fetch(server.url + path, request),
    ]) {
      expect(await response.text()).toBe('thing')
      expect(response.headers.get('X-Request-Id')).toBe('abc')
    }
  })

  it('stands before the app’s own answer to no route', async () => {
    const scopes: Scope[] = []
    const app: App = new Hono()
    app.use(heddle())
    app.notFound((c) => {
      scopes.push(scopeOf(c))
      return c.json({ nothing: true }, 404)
    })
    const response = await app.request('/nowhere')
    expect([response.status, await response.json()]).toEqual([404, { nothing: true }])
    expect(response.headers.has('X-Request-Id')).toBe(true)
    expect(scopes.map(({ state }) => state)).toEqual(['closed'])
  })

  it('closes a scope whose answer comes after that of a timeout before it', async () => {
    const scopes: Scope[] = []
    let finish = (): void => {}
    const app: App = new Hono()
    app.use(timeout(3), heddle(), noting(scopes))
    app.get('/', async (c) => {
      await new Promise<void>((resolve) => (finish = resolve))
      return stream(c, async (out) => {
        await out.write('too late')
      })
    })
    await using server = await listen(app)
    for (const ask of [() => app.request('/'), () => fetch(server.url)]) {
      const response = await ask()
      expect(response.status).toBe(504)
      finish()
      await until(() => scopes.at(-1)?.state === 'closed')
      // Not taken away by what came later.
      expect(await response.text()).toBe('Gateway Timeout')
    }
    expect(scopes).toHaveLength(2)
  })

  it('closes the scope of a client that left while a middleware before it was waiting', async () => {
    const scopes: Scope[] = []
    let request: Context | undefined
    let go = (): void => {}
    const app: App = new Hono()
    app.use(async (c, next) => {
      request = c
      await new Promise<void>((resolve) => (go = resolve))
      await next()
    })
    app.use(heddle(), noting(scopes))
    app.get('/', (c) => c.text('for nobody'))
    await using server = await listen(app)
    const client = new AbortController()
    const answer = ended(fetch(server.url, { signal: client.signal }))
    await until(() => request !== undefined)
    client.abort()
    await answer
    await until(() => hasLeft(request!))
    go()
    await until(() => scopes[0]?.state === 'closed')
    expect(scopes[0]?.signal.reason).toBeInstanceOf(Error)
  })

  it('keeps apart the requests that an app makes to itself', async () => {
    const scopes: Scope[] = []
    const app: App = new Hono()
    app.use(heddle(), noting(scopes))
    app.get('/inner', (c) => c.text('inner'))
    app.get('/outer', async (c) => app.request('/inner', {}, c.env))
    await using server = await listen(app)
    expect(await (await fetch(`${server.url}/outer`)).text()).toBe('inner')
    await until(() => scopes.every(({ state }) => state === 'closed'))
    expect(new Set(scopes).size).toBe(2)
  })
})
