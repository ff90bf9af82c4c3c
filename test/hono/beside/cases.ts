/** What Hono's own middleware promises, as behaviours: after Hono's tests of each. */
import { Hono, type MiddlewareHandler } from 'hono'
import { compress } from 'hono/compress'
import { contextStorage, getContext, tryGetContext } from 'hono/context-storage'
import { cors } from 'hono/cors'
import { etag } from 'hono/etag'
import { HTTPException } from 'hono/http-exception'
import { requestId } from 'hono/request-id'
import { stream, streamSSE } from 'hono/streaming'
import { timeout } from 'hono/timeout'
import { endTime, setMetric, startTime, timing } from 'hono/timing'

import { sleep } from '../../support/crank.ts'

export interface Behaviour {
  readonly use: () => MiddlewareHandler
  readonly route: (app: Hono<any>) => unknown
  readonly request?: RequestInit
  /** What must be in the answer without Heddle, so that the comparison compares something. */
  readonly status?: number
  readonly body?: RegExp
  readonly header?: readonly [name: string, value: RegExp | null]
}

const LONG = JSON.stringify({ text: 'a long text '.repeat(200) })
const SHA1 = /^"[\da-f]{40}"$/

const long = (app: Hono): unknown =>
  app.get('/', (c) => c.body(LONG, 200, { 'Content-Type': 'application/json' }))
const hello = (app: Hono): unknown => app.get('/', (c) => c.text('hello'))
const showId = (app: Hono): unknown =>
  app.get('/', (c) => c.text(String(c.get('requestId' as never))))
const accepts = (encoding: string): RequestInit => ({ headers: { 'Accept-Encoding': encoding } })
const withId = (id: string): RequestInit => ({ headers: { 'X-Request-Id': id } })
const slow = (app: Hono): unknown =>
  app.get('/', async (c) => {
    await sleep(15)
    return c.text('slow')
  })

function streamOf(text: string): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(text))
      controller.close()
    },
  })
}

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
  'lets a fast answer pass': { use: () => timeout(1_000), route: hello, body: /^hello$/ },
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
    use: () => timeout(1_000),
    route: (app) => {
      app.get('/', () => {
        throw new HTTPException(418, { message: 'teapot' })
      })
    },
    status: 418,
    body: /^teapot$/,
  },
}

const compressCases: Readonly<Record<string, Behaviour>> = {
  'compresses what is long': {
    use: compress,
    route: long,
    request: accepts('gzip'),
    header: ['Content-Encoding', /^gzip$/],
  },
  'with deflate': {
    use: compress,
    route: long,
    request: accepts('deflate'),
    header: ['Content-Encoding', /^deflate$/],
  },
  'not what no client accepts': {
    use: compress,
    route: long,
    request: accepts('identity'),
    header: ['Content-Encoding', null],
  },
  'not what is short': {
    use: compress,
    route: (app) => app.get('/', (c) => c.text('hi', 200, { 'Content-Length': '2' })),
    request: accepts('gzip'),
    header: ['Content-Encoding', null],
  },
  'not for HEAD': {
    use: compress,
    route: long,
    request: { ...accepts('gzip'), method: 'HEAD' },
    header: ['Content-Encoding', null],
  },
  'not what must not be changed': {
    use: compress,
    route: (app) =>
      app.get('/', (c) => c.text('x'.repeat(2_000), 200, { 'Cache-Control': 'no-transform' })),
    request: accepts('gzip'),
    header: ['Content-Encoding', null],
  },
  'not server-sent events': {
    use: compress,
    route: (app) => app.get('/', (c) => streamSSE(c, (out) => out.writeSSE({ data: 'event' }))),
    request: accepts('gzip'),
    body: /^data: event\n\n$/,
    header: ['Content-Encoding', null],
  },
  'a stream without a length': {
    use: compress,
    route: (app) =>
      app.get('/', () => {
        return new Response(streamOf(LONG), { headers: { 'Content-Type': 'text/plain' } })
      }),
    request: accepts('gzip'),
    header: ['Content-Encoding', /^gzip$/],
  },
}

const etagCases: Readonly<Record<string, Behaviour>> = {
  'makes a tag': { use: etag, route: hello, header: ['ETag', SHA1] },
  'of a stream, too': {
    use: etag,
    route: (app) => app.get('/', () => new Response(streamOf('streamed'))),
    body: /^streamed$/,
    header: ['ETag', SHA1],
  },
  'a weak one': { use: () => etag({ weak: true }), route: hello, header: ['ETag', /^W\/"/] },
  'keeps the tag that is there': {
    use: etag,
    route: (app) => app.get('/', (c) => c.text('hello', 200, { ETag: '"mine"' })),
    header: ['ETag', /^"mine"$/],
  },
  'answers 304 to who has it': {
    use: etag,
    route: (app) =>
      app.get('/', (c) => c.text('hello', 200, { ETag: '"mine"', 'X-Other': 'gone' })),
    request: { headers: { 'If-None-Match': 'W/"other", "mine"' } },
    status: 304,
    body: /^$/,
    header: ['X-Other', null],
  },
  'makes none for an error': {
    use: etag,
    route: (app) => app.get('/', (c) => c.text('none', 404)),
    status: 404,
    header: ['ETag', null],
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
