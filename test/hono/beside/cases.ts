/** What Hono's own middleware promises, as behaviours: after Hono's tests of each. */
import type { Hono } from 'hono'
import { contextStorage, getContext, tryGetContext } from 'hono/context-storage'
import { cors } from 'hono/cors'
import { HTTPException } from 'hono/http-exception'
import { requestId } from 'hono/request-id'
import { stream } from 'hono/streaming'
import { timeout } from 'hono/timeout'
import { endTime, setMetric, startTime, timing } from 'hono/timing'

import { sleep } from '../../support/crank.ts'
import type { Behaviour } from './behaviour.ts'
import { compressCases, etagCases } from './bodies.ts'

/** ms. */
const HOUR = 3_600_000

const hello = (app: Hono): unknown => app.get('/', (c) => c.text('hello'))
const showId = (app: Hono): unknown =>
  app.get('/', (c) => c.text(String(c.get('requestId' as never))))
const withId = (id: string): RequestInit => ({ headers: { 'X-Request-Id': id } })
/** Never answers, so that no timer of its own can be early. */
const slow = (app: Hono): unknown => app.get('/', () => new Promise<never>(() => {}))

const contextStorageCases: Readonly<Record<string, Behaviour>> = {
  'gives the context to functions': {
    use: contextStorage,
    route: (app) => {
      const message = (): string => getContext<{ Variables: { name: string } }>().var.name
      app.get('/', async (c) => {
        c.set('name', 'hono')
        await sleep(1)
        return c.text(message())
      })
    },
    body: /^hono$/,
  },
  'gives the context to a stream': {
    use: contextStorage,
    route: (app) =>
      app.get('/', (c) =>
        stream(c, async (out) => {
          await sleep(1)
          await out.write(tryGetContext() === c ? 'same' : 'other')
        }),
      ),
    body: /^same$/,
  },
}

const requestIdCases: Readonly<Record<string, Behaviour>> = {
  'makes an id': {
    use: () => requestId({ generator: () => 'made' }),
    route: showId,
    body: /^made$/,
    header: ['X-Request-Id', /^made$/],
  },
  'takes the id that came in': {
    use: requestId,
    route: showId,
    request: withId('came-in'),
    body: /^came-in$/,
    header: ['X-Request-Id', /^came-in$/],
  },
  'takes an id of 255 letters': {
    use: requestId,
    route: showId,
    request: withId('x'.repeat(255)),
    body: /^x{255}$/,
    header: ['X-Request-Id', /^x{255}$/],
  },
  'takes no longer id than it is told': {
    use: () => requestId({ limitLength: 3, generator: () => 'made' }),
    route: showId,
    request: withId('came-in'),
    header: ['X-Request-Id', /^made$/],
  },
  'takes another header': {
    use: () => requestId({ headerName: 'X-Trace', generator: () => 'made' }),
    route: showId,
    request: { headers: { 'X-Trace': 'trace' } },
    body: /^trace$/,
    header: ['X-Trace', /^trace$/],
  },
  'sets no header without a name': {
    use: () => requestId({ headerName: '', generator: () => 'made' }),
    route: showId,
    body: /^made$/,
    header: ['X-Request-Id', null],
  },
}

const timingCases: Readonly<Record<string, Behaviour>> = {
  'tells the total': {
    use: () => timing({ totalDescription: 'all of it' }),
    route: hello,
    header: ['Server-Timing', /^total;dur=N;desc="all of it"$/],
  },
  'tells metrics and timers': {
    use: timing,
    route: (app) =>
      app.get('/', (c) => {
        setMetric(c, 'region', 'europe')
        startTime(c, 'db')
        endTime(c, 'db')
        return c.text('ok')
      }),
    header: ['Server-Timing', /^region;desc="europe",\s?db;dur=N,\s?total;dur=N;desc="Total/],
  },
  'names the origins': {
    use: () => timing({ crossOrigin: 'https://example.com' }),
    route: hello,
    header: ['Timing-Allow-Origin', /^https:\/\/example\.com$/],
  },
}

const timeoutCases: Readonly<Record<string, Behaviour>> = {
  'lets a fast answer pass': { use: () => timeout(HOUR), route: hello, body: /^hello$/ },
  'answers 504 for a slow one': {
    use: () => timeout(3),
    route: slow,
    status: 504,
    body: /^Gateway Timeout$/,
  },
  'throws what it is told': {
    use: () => timeout(3, () => new HTTPException(408, { message: 'too slow' })),
    route: slow,
    status: 408,
    body: /^too slow$/,
  },
  'lets an error pass': {
    use: () => timeout(HOUR),
    route: (app) => {
      app.get('/', () => {
        throw new HTTPException(418, { message: 'teapot' })
      })
    },
    status: 418,
    body: /^teapot$/,
  },
}

const corsCases: Readonly<Record<string, Behaviour>> = {
  'names the origin': {
    use: () => cors({ origin: 'https://example.com' }),
    route: hello,
    request: { headers: { Origin: 'https://example.com' } },
    header: ['Access-Control-Allow-Origin', /^https:\/\/example\.com$/],
  },
  'answers a preflight request': {
    use: cors,
    route: hello,
    request: { method: 'OPTIONS', headers: { 'Access-Control-Request-Headers': 'x-one' } },
    status: 204,
    body: /^$/,
    header: ['Access-Control-Allow-Headers', /^x-one$/],
  },
}

export const behaviours: Readonly<Record<string, Readonly<Record<string, Behaviour>>>> = {
  'context-storage': contextStorageCases,
  'request-id': requestIdCases,
  timing: timingCases,
  timeout: timeoutCases,
  compress: compressCases,
  etag: etagCases,
  cors: corsCases,
}
