/** Hono's own middleware answers the same with `heddle()` before it, behind it, and without it. */
import { createBatcher } from '@heddle/core'
import { heddle } from '@heddle/hono'
import { Hono, type MiddlewareHandler } from 'hono'
import { requestId } from 'hono/request-id'
import { timing } from 'hono/timing'
import { describe, expect, it } from 'vitest'

import { listen } from '../support/server.ts'
import type { Behaviour } from './beside/behaviour.ts'
import { behaviours } from './beside/cases.ts'

interface Answer {
  readonly status: number
  readonly headers: Record<string, string>
  readonly body: string
}

type Ask = (app: Hono, request: RequestInit) => Promise<Response>

const ways: Readonly<Record<string, Ask>> = {
  'in process': async (app, request) => app.request('/', request),
  'on a socket': async (app, request) => {
    await using server = await listen(app)
    const response = await fetch(server.url, request)
    const { status, headers } = response
    const body = await response.arrayBuffer()
    return new Response(body.byteLength === 0 ? null : body, { status, headers })
  },
}

/** Of the server, not of the app. */
const TRANSPORT = new Set([
  'connection',
  'content-length',
  'date',
  'keep-alive',
  'transfer-encoding',
])

async function answerOf(
  ask: Ask,
  middleware: readonly MiddlewareHandler[],
  { route, request = {} }: Behaviour,
): Promise<Answer> {
  const app = new Hono()
  for (const each of middleware) app.use(each)
  route(app)
  const response = await ask(app, request)
  const headers: Record<string, string> = {}
  for (const [name, value] of response.headers) {
    if (!TRANSPORT.has(name)) headers[name] = value.replaceAll(/dur=[\d.]+/g, 'dur=N')
  }
  return { status: response.status, headers, body: await response.text() }
}

for (const [middleware, cases] of Object.entries(behaviours)) {
  describe.each(Object.entries(ways))(`${middleware} %s`, (_way, ask) => {
    it.each(Object.entries(cases))('%s', async (_case, behaviour) => {
      const { status = 200, body = /^/, header: [name, value] = ['', null] } = behaviour
      const without = await answerOf(ask, [behaviour.use()], behaviour)
      expect(without.status).toBe(status)
      expect(without.body).toMatch(body)
      expect(without.headers[name.toLowerCase()] ?? '').toMatch(value ?? /^$/)

      // Without its own headers, which are what it is there for.
      const quiet = (): MiddlewareHandler =>
        heddle({ requestId: false, serverTiming: false }) as MiddlewareHandler
      expect(await answerOf(ask, [quiet(), behaviour.use()], behaviour)).toEqual(without)
      expect(await answerOf(ask, [behaviour.use(), quiet()], behaviour)).toEqual(without)

      // With them, what others have set stays.
      const full = (): MiddlewareHandler => heddle({ serverTiming: true }) as MiddlewareHandler
      expect(await answerOf(ask, [full(), behaviour.use()], behaviour)).toMatchObject(without)
      expect(await answerOf(ask, [behaviour.use(), full()], behaviour)).toMatchObject(without)
    })
  })
}

describe('Server-Timing beside timing()', () => {
  /** The names of the metrics, in order, and how many headers they came in. */
  async function metricsOf(...middleware: readonly MiddlewareHandler[]): Promise<string[]> {
    const batcher = createBatcher<number, number>({ name: 'timed', run: (inputs) => inputs })
    const app = new Hono()
    for (const each of middleware) app.use(each)
    app.get('/', async (c) => c.json(await batcher.submit(1)))
    const header = (await app.request('/')).headers.get('Server-Timing') ?? ''
    return header.split(/,\s*(?=\w+;)/).map((metric) => metric.split(';')[0] ?? '')
  }
  const ours = (): MiddlewareHandler => heddle({ serverTiming: true }) as MiddlewareHandler

  it('has one total, that of the outer one', async () => {
    expect(await metricsOf(timing(), ours())).toEqual(['queue', 'run', 'total'])
    expect(await metricsOf(ours(), timing())).toEqual(['total', 'queue', 'run'])
  })

  it('has ours where it tells none', async () => {
    expect(await metricsOf(timing({ total: false }), ours())).toEqual(['queue', 'run', 'total'])
    expect(await metricsOf(ours())).toEqual(['queue', 'run', 'total'])
  })

  it('says nothing where it is not enabled', async () => {
    expect(await metricsOf(timing({ enabled: false }), ours())).toEqual([''])
  })
})

describe('the id of requestId()', () => {
  it('behind ours is the one of the problem, too', async () => {
    const batcher = createBatcher<number, number>({ name: 'failing', run: () => [] })
    const app = new Hono()
    app.use(heddle(), requestId({ generator: () => 'theirs' }))
    app.get('/', async (c) => c.json(await batcher.submit(1)))
    const response = await app.request('/')
    expect(await response.json()).toMatchObject({ status: 500, requestId: 'theirs' })
  })
})
