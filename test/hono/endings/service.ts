/** An app with a route for each way in which a response can end, which notes what happens when. */
import { bindReadableStream, type Scope } from '@heddle/context'
import { type Batcher, createBatcher } from '@heddle/core'
import { heddle, type HeddleVariables, scopeOf } from '@heddle/hono'
import { type Context, Hono } from 'hono'
import { cors } from 'hono/cors'
import { stream, streamSSE } from 'hono/streaming'

import { type Call, crank, sleep } from '../../support/crank.ts'

type App = Hono<{ Variables: HeddleVariables }>

export interface Service {
  readonly app: App
  /** What has happened, in order. */
  readonly events: string[]
  readonly scopes: Scope[]
  readonly contexts: WeakRef<Context>[]
  /** Whose batches are finished by hand; one item per batch, one that waits. */
  readonly batcher: Batcher<string, string>
  readonly calls: readonly Call<string, string>[]
  /** Resolves when the endless stream has seen that its client is gone. */
  readonly stopped: Promise<void>
}

const CHUNKS = ['one', 'two', 'three']

export function createService(events: string[] = []): Service {
  const scopes: Scope[] = []
  const contexts: WeakRef<Context>[] = []
  const { run, calls } = crank<string>()
  const { promise: stopped, resolve: stop } = Promise.withResolvers<void>()
  const batcher = createBatcher({ name: 'by hand', run, maxBatchSize: 1, maxQueueSize: 1 })
  const app: App = new Hono()
  // Twice, for it must make no difference.
  app.use('/late', heddle({ timeout: 5 }))
  app.use(heddle())
  app.use(async (c, next) => {
    const scope = scopeOf(c)
    scopes.push(scope)
    contexts.push(new WeakRef(c))
    scope.onClose(() => events.push('closed'))
    await next()
    events.push('answered')
  })
  app.use(heddle())
  app.get('/json', (c) => c.json({ ok: true }))
  app.get('/empty', (c) => c.body(null, 204))
  app.get('/redirect', (c) => c.redirect('/json'))
  app.get('/throws', () => {
    throw new Error('the handler failed')
  })
  app.get('/batched', async (c) => c.text(await batcher.submit('word')))
  app.get('/late', async (c) => c.text(await batcher.submit('late')))
  app.get('/stream', (c) =>
    stream(c, async (out) => {
      for (const chunk of CHUNKS) {
        await sleep(1)
        events.push(chunk)
        await out.write(chunk)
      }
    }),
  )
  app.get('/raw', () => new Response(rawStream(events)))
  app.get('/raw-text', () => new Response('text'))
  app.get('/body', (c) => c.body(rawStream(events)))
  app.get('/bound', () => new Response(bindReadableStream(rawStream(events))))
  app.use('/copied', async (c, next) => {
    await next()
    c.res = new Response(c.res.body, c.res)
  })
  app.get('/copied', (c) => c.body(rawStream(events)))
  // As an `app.use(cors())` does it: Hono then makes a copy of every response.
  app.use('/cors/*', cors())
  app.get('/cors/json', (c) => c.json({ ok: true }))
  app.get('/cors/stream', (c) => c.body(rawStream(events)))
  app.use('/sse', async (c, next) => {
    await next()
    // Hono sets it, and HTTP/2 forbids it: without this, no server-sent event gets out, Heddle or not.
    c.res.headers.delete('Transfer-Encoding')
  })
  app.get('/sse', (c) =>
    streamSSE(c, async (out) => {
      for (const data of CHUNKS) {
        await sleep(1)
        events.push(data)
        await out.writeSSE({ data })
      }
    }),
  )
  app.get('/endless', (c) => {
    const { signal } = scopeOf(c)
    return stream(c, async (out) => {
      while (!signal.aborted) {
        await out.write('more')
        await sleep(1)
      }
      stop()
    })
  })
  app.get('/deaf', async (c) => {
    const { signal } = scopeOf(c)
    while (!signal.aborted) await sleep(1)
    return stream(c, async (out) => {
      await out.write('for nobody')
    })
  })
  app.onError((error, c) =>
    'getResponse' in error ? (error as { getResponse(): Response }).getResponse() : c.text('', 500),
  )
  return { app, events, scopes, contexts, batcher, calls, stopped }
}

function rawStream(events: string[]): ReadableStream<Uint8Array> {
  const left = [...CHUNKS]
  return new ReadableStream({
    async pull(controller) {
      await sleep(1)
      const chunk = left.shift()
      if (chunk === undefined) {
        controller.close()
        return
      }
      events.push(chunk)
      controller.enqueue(new TextEncoder().encode(chunk))
    },
  })
}
