import { createBatcher } from '@heddle/core'
import { heddle } from '@heddle/hono'
import { httpInstrumentationMiddleware } from '@hono/otel'
import {
  context,
  createContextKey,
  propagation,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import {
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
  TracerProvider,
} from '@opentelemetry/sdk-trace'
import { Hono } from 'hono'
import { stream } from 'hono/streaming'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { turn, until } from '../support/crank.ts'
import { listen } from '../support/server.ts'

const exporter = new InMemorySpanExporter()

beforeEach(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager())
  propagation.setGlobalPropagator(new W3CTraceContextPropagator())
  trace.setGlobalTracerProvider(
    new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }),
  )
})

afterEach(() => {
  exporter.reset()
  trace.disable()
  context.disable()
  propagation.disable()
})

function serverSpans(): ReadableSpan[] {
  return exporter.getFinishedSpans().filter(({ kind }) => kind === SpanKind.SERVER)
}

async function serverSpan(app: Hono, path: string, init: RequestInit = {}): Promise<ReadableSpan> {
  const response = await app.request(path, init)
  await response.arrayBuffer()
  await until(() => serverSpans().length > 0)
  await turn()
  const spans = serverSpans()
  expect(spans).toHaveLength(1)
  return spans[0]!
}

function appWith(): Hono {
  const app = new Hono()
  app.use(heddle())
  app.get('/cities/:id', (c) => c.text('city'))
  return app
}

describe('a request without a server span', () => {
  it('gets one, named after the route', async () => {
    const span = await serverSpan(appWith(), '/cities/7', { headers: { 'x-request-id': 'r1' } })
    expect(span.name).toBe('GET /cities/:id')
    expect(span.attributes).toEqual({
      'http.request.method': 'GET',
      'http.route': '/cities/:id',
      'http.response.status_code': 200,
      'url.path': '/cities/7',
      'url.scheme': 'http',
      'heddle.request.id': 'r1',
    })
    expect(span.status.code).toBe(SpanStatusCode.UNSET)
    expect(span.instrumentationScope.name).toBe('@heddle/hono')
  })

  it('belongs to the trace that it came with', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    const span = await serverSpan(appWith(), '/cities/7', { headers: { traceparent } })
    expect(span.spanContext().traceId).toBe('0af7651916cd43dd8448eb211c80319c')
    expect(span.parentSpanContext?.spanId).toBe('b7ad6b7169203331')
  })

  it('is the parent of what its items do', async () => {
    const batcher = createBatcher<number, number>({ name: 'cities', run: (ns) => ns })
    const app = new Hono()
    app.use(heddle())
    app.get('/', async (c) => c.json(await batcher.submit(1)))
    const span = await serverSpan(app, '/')
    const names = exporter
      .getFinishedSpans()
      .filter(({ parentSpanContext }) => parentSpanContext?.spanId === span.spanContext().spanId)
      .map(({ name }) => name)
    expect(names).toContain('wait cities')
    expect(names).toContain('execute cities')
  })

  it('is named after the route that answered, or that would have', async () => {
    const app = new Hono()
    app.use(heddle())
    app.use('/private/*', async (c, next) => (c.req.query('ok') ? next() : c.text('no', 401)))
    app.get('/cities/nearest', (c) => c.text('nearest'))
    app.get('/cities/:id', (c) => c.text('city'))
    app.get('/private/:id', (c) => c.text('private'))
    app.all('/all/:id', (c) => c.text('all'))
    const names: string[] = []
    for (const path of [
      '/cities/nearest',
      '/cities/7',
      '/private/7',
      '/private/7?ok=1',
      '/all/7',
      '/private/x/y',
    ]) {
      names.push((await serverSpan(app, path)).name)
      exporter.reset()
    }
    expect(names).toEqual([
      'GET /cities/nearest',
      'GET /cities/:id',
      'GET /private/:id',
      'GET /private/:id',
      'GET /all/:id',
      'GET',
    ])
  })

  it('has no route where there is none, and is an error only for 5xx', async () => {
    const app = appWith()
    app.get('/fails', () => {
      throw new Error('handler')
    })
    app.onError((_error, c) => c.text('failed', 500))
    const missing = await serverSpan(app, '/nowhere')
    expect([missing.name, missing.status.code]).toEqual(['GET', SpanStatusCode.UNSET])
    expect(missing.attributes).not.toHaveProperty('http.route')
    exporter.reset()
    const failed = await serverSpan(app, '/fails')
    expect([failed.name, failed.status.code]).toEqual(['GET /fails', SpanStatusCode.ERROR])
    expect(failed.attributes['error.type']).toBe('500')
  })

  it('ends when the body has ended', async () => {
    const gate = Promise.withResolvers<void>()
    const app = new Hono()
    app.use(heddle())
    app.get('/stream', (c) =>
      stream(c, async (out) => {
        await out.write('a')
        await gate.promise
        await out.write('b')
      }),
    )
    await using server = await listen(app)
    const reader = (await fetch(`${server.url}/stream`)).body!.getReader()
    await reader.read()
    await turn()
    expect(serverSpans()).toEqual([])
    gate.resolve()
    while (!(await reader.read()).done);
    await until(() => serverSpans().length === 1)
  })

  it('is one although the middleware stands in the chain twice', async () => {
    const app = new Hono()
    app.use(heddle(), heddle())
    app.get('/', (c) => c.text('ok'))
    expect((await serverSpan(app, '/')).name).toBe('GET /')
  })
})

describe('a request with a server span of somebody else', () => {
  it('is named after the route through the metadata that instrumentation-http reads', async () => {
    const metadata: { type: string; route?: string } = { type: 'http' }
    const key = createContextKey('OpenTelemetry SDK Context Key RPC_METADATA')
    const span = trace.getTracer('test').startSpan('GET', { kind: SpanKind.SERVER })
    const active = trace.setSpan(context.active(), span).setValue(key, metadata)
    const response = await context.with(active, () => appWith().request('/cities/7'))
    await response.arrayBuffer()
    span.end()
    await turn()
    expect(metadata.route).toBe('/cities/:id')
    expect(serverSpans().map(({ name }) => name)).toEqual(['GET'])
    expect(serverSpans()[0]?.attributes['heddle.request.id']).toMatch(/^[\da-f-]{36}$/)
  })
})

describe('telemetry: false', () => {
  it('makes no span', async () => {
    const app = new Hono()
    app.use(heddle({ telemetry: false }))
    app.get('/', (c) => c.text('ok'))
    await (await app.request('/')).text()
    expect(serverSpans()).toEqual([])
  })
})

describe('beside @hono/otel', () => {
  it.each([
    ['before', 1],
    ['behind', 2],
  ])('%s it there are %i server spans, and the answer is the same', async (place, count) => {
    const theirs = httpInstrumentationMiddleware()
    const app = new Hono()
    if (place === 'before') app.use(theirs, heddle())
    else app.use(heddle(), theirs)
    app.get('/cities/:id', (c) => c.text(trace.getActiveSpan()?.isRecording() ? 'traced' : 'not'))
    const response = await app.request('/cities/1', { headers: { 'x-request-id': 'r1' } })
    expect([response.status, await response.text()]).toEqual([200, 'traced'])
    await until(() => serverSpans().length === count)
    // Theirs starts one whatever is active; ours does not.
    expect(serverSpans()).toHaveLength(count)
    expect(serverSpans().map(({ name }) => name)).toContain('GET /cities/:id')
    expect(serverSpans().map(({ attributes }) => attributes['heddle.request.id'])).toContain('r1')
  })
})
