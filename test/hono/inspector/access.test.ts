/** Who may look at the inspector, and what it is served as. */
import { heddle } from '@heddle/hono'
import { inspector } from '@heddle/hono/inspector'
import { Hono } from 'hono'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { listen } from '../../support/server.ts'
import { watch } from './watch.ts'

const paths = ['/', '/inspector.js', '/inspector.css', '/events']

async function statuses(app: Hono, origin = 'http://localhost', env?: object): Promise<number[]> {
  return Promise.all(
    paths.map(async (path) => {
      const response = await app.request(origin + path, {}, env)
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
      const response = await inspector().request(`${origin}/`)
      expect(await response.text()).toContain('Cure: open it as localhost')
    },
  )

  it('refuses another machine that says it were this one', async () => {
    const node = { incoming: { socket: { remoteAddress: '192.168.1.20' } } }
    const bun = { requestIP: () => ({ address: '192.168.1.20' }) }
    expect(await statuses(inspector(), undefined, node)).toEqual(all(403))
    expect(await statuses(inspector(), undefined, bun)).toEqual(all(403))
    const own = { incoming: { socket: { remoteAddress: '::ffff:127.0.0.1' } } }
    expect(await statuses(inspector(), undefined, own)).toEqual(all(200))
  })

  it('leaves it to `authorize`, if there is one', async () => {
    const app = inspector({ authorize: (c) => c.req.header('x-key') === 'right' })
    expect(await statuses(app)).toEqual(all(403))
    const response = await app.request('http://example.com/', { headers: { 'x-key': 'right' } })
    expect(response.status).toBe(200)
  })
})

describe('in production', () => {
  const before = process.env.NODE_ENV
  beforeEach(() => {
    process.env.NODE_ENV = 'production'
  })
  afterEach(() => {
    process.env.NODE_ENV = before
  })

  it('refuses everybody', async () => {
    expect(await statuses(inspector())).toEqual(all(403))
    expect(await (await inspector().request('/')).text()).toContain('Cure: give it `authorize`')
  })

  it('serves those to whom `authorize` says true, and nothing else', async () => {
    expect(await statuses(inspector({ authorize: async () => true }))).toEqual(all(200))
    const careless = { authorize: () => 'yes' as unknown as boolean }
    expect(await statuses(inspector(careless))).toEqual(all(403))
  })
})

describe('the page', () => {
  it.each(['/', '/_heddle', '/v1/tools/_heddle'])('finds its files below %s', async (base) => {
    const app = new Hono().route(base, inspector())
    const html = await (await app.request(base)).text()
    const links = [...html.matchAll(/(?:href|src)="(?<link>[^":]+)"/g)].map(
      ({ groups }) => new URL(groups?.link ?? '', `http://localhost${base}`).pathname,
    )
    expect(links).toHaveLength(2)
    for (const link of links) expect((await app.request(link)).status).toBe(200)
  })

  it('cannot be made to load from elsewhere by its address', async () => {
    const app = new Hono().route('/:any', inspector())
    const html = await (await app.request('/x%22%3E%3Cscript%3E')).text()
    expect(html).not.toContain('"><script>"')
    expect(html.match(/<script/g)).toHaveLength(1)
  })

  it('may load nothing but its own files, and stands in nobody’s frame', async () => {
    const { headers } = await inspector().request('/')
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
    const app = inspector({ closing: closing.signal })
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
