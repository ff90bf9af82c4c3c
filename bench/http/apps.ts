/** The apps that are compared: the same routes, with other middleware in front. */
import { heddle } from '@heddle/hono'
import { httpInstrumentationMiddleware } from '@hono/otel'
import { context, SpanKind, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import { BatchSpanProcessor, type SpanExporter, TracerProvider } from '@opentelemetry/sdk-trace'
import { Hono, type MiddlewareHandler } from 'hono'
import { contextStorage } from 'hono/context-storage'
import { requestId } from 'hono/request-id'
import { stream } from 'hono/streaming'
import { timing } from 'hono/timing'

/** No part of the package's API, so it is taken from its file. */
const { watchResponse } = (await import(
  new URL('../../packages/hono/src/response-end.ts', import.meta.url).href
)) as typeof import('../../packages/hono/src/response-end.ts')

/** The count of a scope without the scope. */
const uncounted = { hold() {}, letGo() {} } as Parameters<typeof watchResponse>[1]

const CHUNKS = 8
const chunk = 'x'.repeat(256)

const middleware: Readonly<Record<string, () => MiddlewareHandler[]>> = {
  bare: () => [],
  // What a ratio of two equal apps comes out as.
  'bare, again': () => [],
  'no-op': () => [async (_c, next) => next()],
  'end of response': () => [watchEnd],
  'heddle, no headers': () => [
    heddle({ requestId: false, serverTiming: false, telemetry: false }) as MiddlewareHandler,
  ],
  heddle: () => [heddle({ serverTiming: true }) as MiddlewareHandler],
  'heddle, span': () => {
    recordSpans()
    return [heddle({ serverTiming: true }) as MiddlewareHandler]
  },
  'no-op, span': () => {
    recordSpans()
    return [bareSpan]
  },
  'hono’s three': () => [contextStorage(), requestId(), timing()],
  '@hono/otel': () => {
    recordSpans()
    return [httpInstrumentationMiddleware()]
  },
  // With `OTEL_EXPORTER_OTLP_ENDPOINT`.
  'heddle, span, OTLP': () => {
    recordSpans(new OTLPTraceExporter())
    return [heddle({ serverTiming: true }) as MiddlewareHandler]
  },
  '@hono/otel, OTLP': () => {
    recordSpans(new OTLPTraceExporter())
    return [httpInstrumentationMiddleware()]
  },
}

export const variants: readonly string[] = Object.keys(middleware)

export function appOf(variant: string): Hono {
  const app = new Hono()
  for (const each of middleware[variant]?.() ?? []) app.use(each)
  app.get('/json/:id', (c) => c.json({ id: c.req.param('id'), name: 'a small answer' }))
  app.get('/stream', (c) =>
    stream(c, async (out) => {
      for (let n = 0; n < CHUNKS; n += 1) await out.write(chunk)
    }),
  )
  return app
}

const watchEnd: MiddlewareHandler = async (c, next) => {
  const settle = watchResponse(c, uncounted, () => {})
  try {
    await next()
  } finally {
    settle()
  }
}

/** The least that a server span costs: the SDK's part of it, active nowhere. */
const bareSpan: MiddlewareHandler = async (c, next) => {
  const span = trace.getTracer('bench').startSpan(c.req.method, {
    kind: SpanKind.SERVER,
    attributes: {
      'http.request.method': c.req.method,
      'url.path': c.req.path,
      'url.scheme': 'http',
    },
  })
  await next()
  span.setAttribute('http.response.status_code', c.res.status)
  span.setAttribute('http.route', '/json/:id')
  span.end()
}

/** Where the exporter is not what is measured. */
const nowhere: SpanExporter = {
  export: (_spans, done) => done({ code: 0 }),
  shutdown: () => Promise.resolve(),
}

/** Every request is sampled. */
function recordSpans(exporter: SpanExporter = nowhere): void {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager())
  trace.setGlobalTracerProvider(
    new TracerProvider({
      // Large enough that nothing is dropped: what is dropped costs less.
      spanProcessors: [new BatchSpanProcessor({ exporter, maxQueueSize: 1e5 })],
    }),
  )
}
