/** The variables of an app are the app's: what it calls `scope` or `requestId` is neither used nor overwritten. */
import { createBatcher } from '@heddle/core'
import { heddle, scopeOf, streamBatched } from '@heddle/hono'
import { type Context, Hono } from 'hono'
import { every } from 'hono/combine'
import { describe, expect, it } from 'vitest'

type Variables = { scope: unknown; requestId: unknown; own: unknown }
type App = Hono<{ Variables: Variables }>

const echo = createBatcher<string, string>({ name: 'echo', run: (inputs) => inputs })

/** What is seen of a request's scope by all ways that need one. */
async function seen(c: Context): Promise<object> {
  return {
    variable: c.get('scope'),
    byVar: c.var.scope,
    id: scopeOf(c).id,
    kind: scopeOf(c).kind,
    result: await echo.submit('x'),
  }
}

async function answer(app: App, path = '/'): Promise<unknown> {
  const response = await app.request(path, { headers: { 'x-request-id': 'r1' } })
  expect(response.status).toBe(200)
  return [response.headers.get('x-request-id'), await response.json()]
}

describe.each<[string, unknown]>([
  ['a text', 'read:users'],
  ['what looks like a scope of ours', { kind: 'request', id: 'own' }],
  ['null', null],
  ['0', 0],
])('an app’s own variable `scope`: %s', (_what, own) => {
  const expected = ['r1', { variable: own, byVar: own, id: 'r1', kind: 'request', result: 'x' }]
  const setOwn = async (c: Context, next: () => Promise<void>): Promise<void> => {
    c.set('scope', own)
    await next()
  }

  it('set before', async () => {
    const app: App = new Hono()
    app.use(setOwn, heddle())
    app.get('/', async (c) => c.json(await seen(c)))
    expect(await answer(app)).toEqual(expected)
  })

  it('set behind', async () => {
    const app: App = new Hono()
    app.use(heddle(), setOwn)
    app.get('/', async (c) => c.json(await seen(c)))
    expect(await answer(app)).toEqual(expected)
  })

  it('between two uses, which open one scope, and in a sub-app', async () => {
    const app: App = new Hono()
    const sub: App = new Hono()
    const scopes: unknown[] = []
    const note = async (c: Context, next: () => Promise<void>): Promise<void> => {
      scopes.push(scopeOf(c))
      await next()
    }
    sub.use(heddle({ requestId: false }), note)
    sub.get('/', async (c) => c.json(await seen(c)))
    app.use(every(heddle(), note), setOwn, heddle(), note)
    app.route('/sub', sub)
    expect(await answer(app, '/sub')).toEqual(expected)
    expect([scopes.length, new Set(scopes).size]).toEqual([3, 1])
  })

  it('in a mounted app, whose request is one of its own', async () => {
    const app: App = new Hono()
    const inner: App = new Hono()
    const ids: string[] = []
    inner.use(heddle())
    inner.get('/', async (c) => {
      ids.push(scopeOf(c).id)
      return c.json(await seen(c))
    })
    app.use(heddle(), setOwn)
    app.mount('/inner', inner.fetch)
    expect(await answer(app, '/inner')).toEqual(['r1', expect.objectContaining({ id: 'r1' })])
    expect(ids).toEqual(['r1'])
  })

  it('at the end of the request', async () => {
    const app: App = new Hono()
    const after: unknown[] = []
    app.use(async (c, next) => {
      await next()
      after.push(c.get('scope'))
    })
    app.use(setOwn, heddle())
    app.get('/', (c) => c.json(1))
    await app.request('/')
    expect(after).toEqual([own])
  })
})

describe('without one', () => {
  it('`scope` is ours, by both ways', async () => {
    const app: App = new Hono()
    app.use(heddle())
    app.get('/', (c) => c.json([c.get('scope') === scopeOf(c), c.var.scope === scopeOf(c)]))
    expect(await answer(app)).toEqual(['r1', [true, true]])
  })
})

describe('an app’s own variable `requestId` that is no text', () => {
  it.each(['before', 'behind'])('stays, %s', async (place) => {
    const own = { number: 7 }
    const app: App = new Hono()
    const setOwn = async (c: Context, next: () => Promise<void>): Promise<void> => {
      c.set('requestId', own as unknown as string)
      await next()
    }
    if (place === 'before') app.use(setOwn, heddle())
    else app.use(heddle(), setOwn)
    app.get('/', (c: Context) => c.json({ own: c.get('requestId'), id: scopeOf(c).id }))
    app.get('/stream', async (c) => {
      async function* chunks(): AsyncGenerator<string> {
        yield 'x'
        throw new Error('late')
      }
      return streamBatched(c, chunks(), { onError: () => undefined })
    })
    expect(await answer(app)).toEqual(['r1', { own, id: 'r1' }])
    const text = await (await app.request('/stream', { headers: { 'x-request-id': 'r1' } })).text()
    expect(text).toContain('"requestId":"r1"')
  })
})
