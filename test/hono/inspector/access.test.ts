/** Who may look at the inspector, and what it is served as. */
import { heddle } from '@heddle/hono'
import { inspector } from '@heddle/hono/inspector'
import { Hono } from 'hono'
import { cors } from 'hono/cors'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { listen } from '../../support/server.ts'
import { watch } from './watch.ts'

const paths = ['/', '/inspector.js', '/inspector.css', '/events']
const before = process.env.NODE_ENV

beforeEach(() => {
  process.env.NODE_ENV = 'development'
})

afterEach(() => {
  if (before === undefined) delete process.env.NODE_ENV
  else process.env.NODE_ENV = before
})

/** What a server of Node or Bun puts into `c.env`, for a client with this address. */
const nodeEnv = (remoteAddress?: string): object => ({ incoming: { socket: { remoteAddress } } })
const bunEnv = (address: string): object => ({ requestIP: () => ({ address }) })
const LOCAL = nodeEnv('127.0.0.1')

async function statuses(
  app: Hono,
  origin = 'http://localhost',
  env: object | undefined = LOCAL,
  headers: Record<string, string> = {},
): Promise<number[]> {
  return Promise.all(
    paths.map(async (path) => {
      const response = await app.request(origin + path, { headers }, env)
      await response.body?.cancel()
      return response.status
    }),
  )
}

const all = (status: number): number[] => paths.map(() => status)

describe('in development', () => {
  it.each(['http://localhost:3000', 'http://127.0.0.1', 'http://[::1]:80', 'http://app.localhost'])(
    'serves the machine itself: %s',
    async (origin) => {
      expect(await statuses(inspector(), origin)).toEqual(all(200))
    },
  )

  it.each(['http://example.com', 'http://10.0.0.7:3000', 'http://localhost.example.com'])(
    'refuses a name that may be anybody’s: %s',
    async (origin) => {
      expect(await statuses(inspector(), origin)).toEqual(all(403))
      const response = await inspector().request(`${origin}/`, {}, LOCAL)
      expect(await response.text()).toContain('Cure: open it as localhost')
    },
  )

  it.each([nodeEnv('192.168.1.20'), bunEnv('192.168.1.20'), { server: bunEnv('10.1.1.1') }])(
    'refuses another machine that says it were this one: %j',
    async (env) => {
      expect(await statuses(inspector(), undefined, env)).toEqual(all(403))
    },
  )

  it.each([
    nodeEnv('::ffff:127.0.0.1'),
    nodeEnv('::1'),
    bunEnv('127.0.0.1'),
    { server: bunEnv('::1') },
  ])('serves a client on this machine: %j', async (env) => {
    expect(await statuses(inspector(), undefined, env)).toEqual(all(200))
  })

  // In process, on a unix socket, behind an adapter that tells none; a Request in the place of the one that came.
  it.each([
    {},
    nodeEnv(),
    { incoming: {} },
    { requestIP: () => null },
    {
      requestIP() {
        throw new TypeError('no request of mine')
      },
    },
  ])('refuses whom it cannot know: %o', async (env) => {
    expect(await statuses(inspector(), undefined, env)).toEqual(all(403))
  })

  it.each([
    'Forwarded',
    'X-Forwarded-For',
    'X-Forwarded-Host',
    'X-Forwarded-Proto',
    'X-Forwarded',
    'X-Original-Forwarded-For',
    'X-Real-IP',
    'X-Client-IP',
    'X-Cluster-Client-IP',
    'True-Client-IP',
    'Client-IP',
    'CF-Connecting-IP',
    'CF-Connecting-IPv6',
    'CF-Ray',
    'CF-IPCountry',
    'Fastly-Client-IP',
    'Fly-Client-IP',
    'DO-Connecting-IP',
    'X-Azure-ClientIP',
    'X-Azure-SocketIP',
    'X-Appengine-User-IP',
    'X-Nf-Client-Connection-IP',
    'X-Remote-IP',
    'X-Remote-Addr',
    'X-Originating-IP',
    'X-Envoy-External-Address',
    'X-Envoy-Expected-Rq-Timeout-Ms',
    'X-ARR-SSL',
    'X-Amzn-Trace-Id',
    'X-Original-URL',
    'X-Original-Host',
    'X-Rewrite-URL',
    'X-Host',
    'WL-Proxy-Client-IP',
    'Proxy-Connection',
    'Via',
    'CDN-Loop',
  ])('refuses what a proxy has passed on: %s', async (name) => {
    expect(await statuses(inspector(), undefined, LOCAL, { [name]: '127.0.0.1' })).toEqual(all(403))
  })

  it('serves what browsers and tracers send', async () => {
    const headers = {
      accept: 'text/html',
      'accept-encoding': 'gzip, deflate, br',
      'accept-language': 'en',
      'cache-control': 'max-age=0',
      connection: 'keep-alive',
      cookie: 'a=b',
      dnt: '1',
      'sec-ch-ua-platform': '"Linux"',
      'sec-fetch-dest': 'document',
      'sec-fetch-mode': 'navigate',
      'sec-fetch-site': 'none',
      'upgrade-insecure-requests': '1',
      'user-agent': 'Mozilla/5.0',
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      'x-request-id': 'abc',
      'x-description': 'the ip of a script',
    }
    expect(await statuses(inspector(), undefined, LOCAL, headers)).toEqual(all(200))
  })
})

describe('other websites', () => {
  const foreign: readonly Record<string, string>[] = [
    { origin: 'http://example.com' },
    { origin: 'null' },
    { origin: 'http://localhost:5173' },
    { origin: 'https://localhost:3000' },
    { origin: '' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'same-origin', origin: 'http://example.com' },
    { 'sec-fetch-site': '' },
  ]
  const own: readonly Record<string, string>[] = [
    { origin: 'http://localhost:3000' },
    { 'sec-fetch-site': 'same-origin' },
    { 'sec-fetch-site': 'none' },
    { 'sec-fetch-site': 'same-origin', origin: 'http://localhost:3000' },
  ]

  it.each(foreign)('are refused, whatever `authorize` says: %j', async (headers) => {
    const origin = 'http://localhost:3000'
    const authorized = inspector({ authorize: () => true })
    expect(await statuses(inspector(), origin, LOCAL, headers)).toEqual(all(403))
    expect(await statuses(authorized, origin, LOCAL, headers)).toEqual(all(403))
  })

  it.each(own)('are not the page itself: %j', async (headers) => {
    const origin = 'http://localhost:3000'
    expect(await statuses(inspector(), origin, LOCAL, headers)).toEqual(all(200))
  })

  it.each(['before', 'behind'])('are let in by no cors() %s it', async (place) => {
    const app = new Hono()
    const anybody = cors({ origin: (origin) => origin, credentials: true, exposeHeaders: ['x-a'] })
    if (place === 'before') app.use(anybody)
    app.route('/_heddle', inspector({ authorize: (c) => c.req.header('x-key') !== 'wrong' }))
    if (place === 'behind') app.use(anybody)
    app.get('/own', (c) => c.text('the app’s own'))
    const sent: readonly Record<string, string>[] = [
      {},
      { 'x-key': 'wrong' },
      { origin: 'http://localhost' },
      { origin: 'http://example.com' },
    ]
    for (const path of paths) {
      for (const headers of sent) {
        for (const method of ['GET', 'HEAD', 'POST']) {
          const response = await app.request(`/_heddle${path}`, { method, headers }, LOCAL)
          expect(allowed(response)).toEqual([])
          await response.body?.cancel()
        }
      }
    }
    const other = await app.request('/own', { headers: { origin: 'http://example.com' } })
    expect(allowed(other)).toContain('access-control-allow-origin')
  })

  it('get no leave from a preflight that reaches it', async () => {
    const app = new Hono().route('/_heddle', inspector({ authorize: () => true }))
    app.use(cors())
    for (const path of paths) {
      const headers = { origin: 'http://example.com', 'access-control-request-method': 'GET' }
      const response = await app.request(`/_heddle${path}`, { method: 'OPTIONS', headers }, LOCAL)
      expect([response.status, ...allowed(response)]).toEqual([405])
    }
  })

  function allowed({ headers }: Response): string[] {
    return [...headers.keys()].filter((name) => name.startsWith('access-control-'))
  }
})

describe.each([undefined, '', 'production', 'test', 'staging', 'Development'])(
  'where NODE_ENV is %o',
  (value) => {
    beforeEach(() => {
      if (value === undefined) delete process.env.NODE_ENV
      else process.env.NODE_ENV = value
    })

    it('refuses everybody', async () => {
      expect(await statuses(inspector())).toEqual(all(403))
      const refused = await inspector().request('/', {}, LOCAL)
      expect(await refused.text()).toContain('NODE_ENV is not `development`')
    })

    it('serves those to whom `authorize` says true, and nothing else', async () => {
      expect(await statuses(inspector({ authorize: async () => true }))).toEqual(all(200))
      const careless = { authorize: () => 'yes' as unknown as boolean }
      expect(await statuses(inspector(careless))).toEqual(all(403))
    })
  },
)

describe('authorize', () => {
  it('decides for other machines, and behind a proxy', async () => {
    const app = inspector({ authorize: (c) => c.req.header('x-key') === 'right' })
    expect(await statuses(app)).toEqual(all(403))
    const key = { 'x-key': 'right', 'x-forwarded-for': '203.0.113.7' }
    expect(await statuses(app, 'http://example.com', {}, key)).toEqual(all(200))
  })
})

describe('the page', () => {
  it.each([
    '/',
    '/_heddle',
    '/_heddle/',
    '/v1/tools/_heddle',
    '/v1/tools/_heddle/',
    '/t/acme/_heddle',
    '/t/acme/_heddle/',
  ])('finds its files below %s', async (base) => {
    const app = new Hono()
    const pattern = base.replace('acme', ':tenant')
    app.route(pattern === '/' ? pattern : pattern.replace(/\/$/, ''), inspector())
    const page = await app.request(base, {}, LOCAL)
    expect(page.status).toBe(200)
    const links = [...(await page.text()).matchAll(/(?:href|src)="(?<link>[^":]+)"/g)].map(
      ({ groups }) => new URL(groups?.link ?? '', `http://localhost${base}`).pathname,
    )
    expect(links).toHaveLength(2)
    for (const link of links) expect((await app.request(link, {}, LOCAL)).status).toBe(200)
  })

  it('leaves every other path to the app', async () => {
    for (const base of ['/', '/_heddle']) {
      const app = new Hono().route(base, inspector())
      app.get('/_heddle/more/', (c) => c.text('the app’s own'))
      app.post('/_heddle/more/events', (c) => c.text('the app’s own'))
      const own = [
        await app.request('http://example.com/_heddle/more/'),
        await app.request('http://example.com/_heddle/more/events', { method: 'POST' }),
      ]
      expect(own.map(({ status }) => status)).toEqual([200, 200])
      expect(own.map(({ headers }) => headers.get('x-frame-options'))).toEqual([null, null])
      expect((await app.request('/_heddle/toString', {}, LOCAL)).status).toBe(404)
    }
  })

  it('is found without regard to the slash where the app has none', async () => {
    const app = new Hono({ strict: false }).route('/_heddle', inspector())
    for (const path of ['/_heddle', '/_heddle/']) {
      expect((await app.request(path, {}, LOCAL)).status).toBe(200)
    }
  })

  it('cannot be made to load from elsewhere by its address', async () => {
    const app = new Hono().route('/:any', inspector())
    const html = await (await app.request('/x%22%3E%3Cscript%3E', {}, LOCAL)).text()
    expect(html).not.toContain('"><script>"')
    expect(html.match(/<script/g)).toHaveLength(1)
  })

  it('may load nothing but its own files, and stands in nobody’s frame', async () => {
    const { headers } = await inspector().request('/', {}, LOCAL)
    expect(headers.get('content-security-policy')).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
        "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    )
    expect(headers.get('x-frame-options')).toBe('DENY')
    expect(headers.get('x-content-type-options')).toBe('nosniff')
  })

  it('is served over a socket, also behind heddle()', async () => {
    const app = new Hono<any>()
    app.use(heddle())
    app.route('/_heddle', inspector())
    await using server = await listen(app)
    const response = await fetch(`${server.url}/_heddle`)
    expect([response.status, response.headers.get('content-type')]).toEqual([
      200,
      'text/html; charset=UTF-8',
    ])
    const events = await fetch(`${server.url}/_heddle/events`)
    const { value } = await events.body!.getReader().read()
    expect(new TextDecoder().decode(value)).toMatch(/^data: \{"now":/)
  })
})

describe('when the service closes', () => {
  it('what pages listen to ends', async () => {
    const closing = new AbortController()
    const app = inspector({ authorize: () => true, closing: closing.signal })
    const page = await watch(app, '/events')
    closing.abort()
    expect(await page.ended()).toBe(true)
    const late = await watch(app, '/events').catch(() => undefined)
    expect(await late?.ended()).toBe(true)
  })
})

describe('inspector()', () => {
  it.each<[object, string]>([
    [{ authorize: true }, 'Expected `authorize` to be a function, got true'],
    [{ closing: {} }, 'Expected `closing` to be an AbortSignal, got an object'],
  ])('refuses %o', (options, message) => {
    expect(() => inspector(options)).toThrow(new TypeError(`inspector(): ${message}`))
  })
})
