/** A response goes out as its handler made it, or as a middleware that sets the same headers leaves it. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { heddle } from '@heddle/hono'
import { Hono, type MiddlewareHandler } from 'hono'
import { stream, streamText } from 'hono/streaming'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { listen } from '../support/server.ts'
import { ask, type Asked } from './endings/raw-client.ts'

interface BunGlobals {
  file(path: string): Blob
}

const { Bun: bun } = globalThis as { Bun?: BunGlobals }

let folder = ''
const pathOf = (name: string): string => join(folder, name)

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heddle-answers-'))
  await writeFile(pathOf('file.txt'), 'abcdefghij'.repeat(1000))
  await writeFile(pathOf('page.html'), '<p>')
})

afterAll(async () => {
  await rm(folder, { recursive: true })
})

type Make = (url: string) => BodyInit | Response | Promise<Response>

const bytes = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text)

function form(): FormData {
  const data = new FormData()
  data.set('a', '1')
  return data
}

function chunks(type?: 'bytes'): ReadableStream {
  const left = ['one', 'two']
  return new ReadableStream({
    ...(type && { type }),
    async pull(controller: ReadableStreamDefaultController) {
      await Promise.resolve()
      const chunk = left.shift()
      if (chunk === undefined) controller.close()
      else controller.enqueue(bytes(chunk))
    },
  } as never)
}

async function* generate(): AsyncGenerator<Uint8Array> {
  yield bytes('one')
  await Promise.resolve()
  yield bytes('two')
}

function direct(): ReadableStream {
  return new ReadableStream({
    type: 'direct',
    async pull(controller: { write(text: string): void; flush(): Promise<void>; end(): void }) {
      controller.write('one')
      await controller.flush()
      controller.write('two')
      controller.end()
    },
  } as never)
}

function cookies(): Headers {
  const headers = new Headers({ 'Content-Type': 'text/plain' })
  headers.append('Set-Cookie', 'a=1')
  headers.append('Set-Cookie', 'b=2')
  return headers
}

const everywhere: Readonly<Record<string, Make>> = {
  text: () => new Response('text'),
  'text of a type': () => new Response('{}', { headers: { 'Content-Type': 'application/json' } }),
  nothing: () => new Response(),
  bytes: () => new Response(bytes('bytes')),
  'an ArrayBuffer': () => new Response(bytes('bytes').buffer),
  blob: () => new Response(new Blob(['blob'], { type: 'text/css' })),
  form: () => new Response(form()),
  query: () => new Response(new URLSearchParams({ a: '1' })),
  stream: () => new Response(chunks()),
  'stream of bytes': () => new Response(chunks('bytes')),
  'stream of a known length': () =>
    new Response(chunks(), { headers: { 'Content-Length': '6', 'Content-Type': 'text/css' } }),
  cookies: () => new Response(chunks(), { headers: cookies() }),
  created: () => new Response('made', { status: 201, headers: { Location: '/made' } }),
  204: () => new Response(null, { status: 204 }),
  304: () => new Response(null, { status: 304, headers: { ETag: '"x"' } }),
  json: () => Response.json({ ok: true }),
  redirect: () => Response.redirect('http://localhost/there', 302),
  proxied: async (url) => fetch(`${url}/upstream`),
  'proxied with a status': async (url) => fetch(`${url}/upstream/nowhere`),
}

const onBun: Readonly<Record<string, Make>> = {
  file: () => new Response(bun?.file(pathOf('file.txt'))),
  'file with a status': () => new Response(bun?.file(pathOf('file.txt')), { status: 201 }),
  'file of a type': () =>
    new Response(bun?.file(pathOf('page.html')), { headers: { 'Content-Type': 'text/plain' } }),
  page: () => new Response(bun?.file(pathOf('page.html'))),
  slice: () => new Response(bun?.file(pathOf('file.txt')).slice(10, 20)),
  generator: () => new Response(generate() as never),
  direct: () => new Response(direct()),
}

const requests: Readonly<Record<string, Asked>> = {
  GET: {},
  HEAD: { method: 'HEAD' },
  'a range': { headers: { Range: 'bytes=0-4' } },
  'a range of the end': { headers: { Range: 'bytes=-5' } },
}

function appWith(middleware: MiddlewareHandler | undefined, make: Make): Hono {
  const app = new Hono()
  app.use('/upstream/*', async (c, next) => {
    await next()
    // A proxied `keep-alive` would hold the connection of the client open, too.
    const { outgoing } = (c.env ?? {}) as { outgoing?: { setHeader(k: string, v: string): void } }
    outgoing?.setHeader('Connection', 'close')
  })
  app.get('/upstream', () => new Response(new Blob(['upstream'], { type: 'text/css' })))
  if (middleware) app.use(middleware)
  app.get('/', async (c) => {
    const made = await make(new URL(c.req.url).origin)
    return made as Response
  })
  return app
}

async function wireOf(
  middleware: MiddlewareHandler | undefined,
  make: Make,
  request: Asked,
): Promise<object> {
  await using server = await listen(appWith(middleware, make))
  return await ask(server.url, '/', request)
}

const plain: MiddlewareHandler = async (c, next) => {
  await next()
  // On Node `heddle()` sets it on the outgoing message, which this is the same as.
  const { outgoing } = (c.env ?? {}) as { outgoing?: { setHeader(k: string, v: string): void } }
  if (outgoing) outgoing.setHeader('X-Request-Id', 'abc')
  else c.res.headers.set('X-Request-Id', 'abc')
}

const quiet = (): MiddlewareHandler =>
  heddle({ requestId: false, serverTiming: false }) as MiddlewareHandler
const withId = (): MiddlewareHandler =>
  heddle({ requestId: { generate: () => 'abc' }, serverTiming: false }) as MiddlewareHandler

const makers = Object.entries({ ...everywhere, ...(bun && onBun) })

describe.each(makers)('a Response of %s', (_kind, make) => {
  it.each(Object.entries(requests))('is for %s as without heddle()', async (_name, request) => {
    expect(await wireOf(quiet(), make, request)).toEqual(await wireOf(undefined, make, request))
  })

  it.each(Object.entries(requests))(
    'has for %s the headers it is given',
    async (_name, request) => {
      expect(await wireOf(withId(), make, request)).toEqual(await wireOf(plain, make, request))
    },
  )

  it('is the very object in process', async () => {
    const made: unknown[] = []
    const app = appWith(quiet(), async () => {
      await using upstream = await listen(appWith(undefined, everywhere.text!))
      const response = (await make(upstream.url)) as Response
      made.push(response)
      return response
    })
    const response = await app.request('/')
    expect(response).toBe(made[0])
    expect(response.bodyUsed).toBe(false)
    await response.arrayBuffer()
  })
})

describe('a body that is given to Hono', () => {
  const routes: Readonly<Record<string, (app: Hono) => unknown>> = {
    'c.text': (app) => app.get('/', (c) => c.text('text')),
    'c.json': (app) => app.get('/', (c) => c.json({ a: 1 })),
    'c.html': (app) => app.get('/', (c) => c.html('<p>')),
    'c.html of a promise': (app) => app.get('/', (c) => c.html(Promise.resolve('<p>'))),
    'c.body of bytes': (app) => app.get('/', (c) => c.body(bytes('bytes'))),
    'c.body of nothing': (app) => app.get('/', (c) => c.body(null, 204)),
    'c.body of a stream': (app) => app.get('/', (c) => c.body(chunks(), 200, { 'X-Own': 'yes' })),
    'c.newResponse of a stream': (app) => app.get('/', (c) => c.newResponse(chunks())),
    'c.redirect': (app) => app.get('/', (c) => c.redirect('/there')),
    'stream()': (app) => app.get('/', (c) => stream(c, async (out) => void (await out.write('a')))),
    'streamText()': (app) =>
      app.get('/', (c) => streamText(c, async (out) => void (await out.write('a')))),
    ...(bun && {
      'c.body of a file': (app: Hono) =>
        app.get('/', (c) => c.body(bun.file(pathOf('file.txt')) as never)),
    }),
  }

  it.each(Object.entries(routes))('%s goes out as without heddle()', async (_name, route) => {
    for (const request of Object.values(requests)) {
      const seen: object[] = []
      for (const middleware of [undefined, quiet()]) {
        const app = new Hono()
        if (middleware) app.use(middleware)
        route(app)
        await using server = await listen(app)
        seen.push(await ask(server.url, '/', request))
      }
      expect(seen[1]).toEqual(seen[0])
    }
  })
})

describe('what is no Response of this platform', () => {
  /** As a polyfill makes it, or another copy of the platform's. */
  class Foreign {
    readonly status: number = 200
    readonly ok = true
    readonly headers: Headers = new Headers({ 'Content-Type': 'text/plain' })
    readonly body: string = 'foreign'
  }
  const bare = { status: 200, body: 'bare' }
  const frozen = Object.freeze(new Foreign())

  it.each([new Foreign(), bare, frozen])('is passed on as it is: %o', async (foreign) => {
    const make: Make = () => foreign as never
    expect(await appWith(quiet(), make).request('/')).toBe(foreign)
    // One that can have no headers may become a Response; none becomes an error.
    expect((await appWith(withId(), make).request('/')).status).toBe(200)
  })

  it('gets the headers, if it can have any', async () => {
    const app = appWith(withId(), () => new Foreign() as never)
    expect((await app.request('/')).headers.get('X-Request-Id')).toBe('abc')
  })

  it('may be an error of the network', async () => {
    for (const middleware of [quiet(), withId()]) {
      const response = await appWith(middleware, () => Response.error()).request('/')
      expect([response.type, response.status]).toEqual(['error', 0])
    }
  })
})
