/** The behaviours of middleware that takes the body of an answer into its own hands. */
import type { Hono } from 'hono'
import { compress } from 'hono/compress'
import { etag } from 'hono/etag'
import { streamSSE } from 'hono/streaming'

import type { Behaviour } from './behaviour.ts'

const LONG = JSON.stringify({ text: 'a long text '.repeat(200) })
const SHA1 = /^"[\da-f]{40}"$/

const long = (app: Hono): unknown =>
  app.get('/', (c) => c.body(LONG, 200, { 'Content-Type': 'application/json' }))
const hello = (app: Hono): unknown => app.get('/', (c) => c.text('hello'))
const accepts = (encoding: string): RequestInit => ({ headers: { 'Accept-Encoding': encoding } })

function streamOf(text: string): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(text))
      controller.close()
    },
  })
}

export const compressCases: Readonly<Record<string, Behaviour>> = {
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

export const etagCases: Readonly<Record<string, Behaviour>> = {
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
