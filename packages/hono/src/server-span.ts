import type { ErrorBoundary } from '@heddle/context/engine'
import { tracerSource } from '@heddle/otel'
import {
  type Context as TraceContext,
  context,
  createContextKey,
  propagation,
  SpanKind,
  SpanStatusCode,
  type TextMapGetter,
  trace,
} from '@opentelemetry/api'
import {
  ATTR_ERROR_TYPE,
  ATTR_HTTP_REQUEST_METHOD,
  ATTR_HTTP_RESPONSE_STATUS_CODE,
  ATTR_HTTP_ROUTE,
  ATTR_URL_PATH,
  ATTR_URL_SCHEME,
} from '@opentelemetry/semantic-conventions'
import type { Context } from 'hono'

import { requestHeader } from './headers.ts'
import { routeOf } from './route-of.ts'
import { name, version } from './version.ts'

/** Where instrumentation-http looks for the route; the key is a `Symbol.for`, so no package is needed. */
const RPC_METADATA = createContextKey('OpenTelemetry SDK Context Key RPC_METADATA')

/** The span of a request on the server: somebody else's, or ours where there is none. */
export interface ServerSpan {
  /** Has the span active. */
  readonly context: TraceContext
  /** Names the span after the route; to be called when the response is there. */
  answered(c: Context): void
  /**
   * To be called when the last byte of the response is out, or the client is gone; a span of ours ends
   * then, but not before the handler has answered.
   */
  ended(isComplete: boolean): void
}

const tryTracer = tracerSource({ name, version })

const REQUEST_ID = 'heddle.request.id'

/**
 * `undefined` where nothing records, as without an SDK.
 *
 * @param boundary - what a tracer or a propagator throws costs a span, and no request its answer
 */
export function openServerSpan(
  c: Context,
  requestId: string,
  boundary: ErrorBoundary,
): ServerSpan | undefined {
  const span = boundary.run('server span', () => serverSpanOf(c, requestId, boundary))
  return (
    span && {
      context: span.context,
      answered: (answer) => boundary.run('answered server span', () => span.answered(answer)),
      ended: (isComplete) => boundary.run('ended server span', () => span.ended(isComplete)),
    }
  )
}

function serverSpanOf(
  c: Context,
  requestId: string,
  boundary: ErrorBoundary,
): ServerSpan | undefined {
  const active = context.active()
  const current = trace.getSpan(active)
  const isForeign = current?.isRecording() === true
  // Somebody has decided already that this request is not sampled.
  if (!isForeign && current && trace.isSpanContextValid(current.spanContext())) return undefined
  const span = isForeign ? foreignSpan(active) : ownSpan(c, active, boundary)
  const recording = span && trace.getSpan(span.context)
  // After the start: no sampler decides by it, and there each attribute costs more.
  boundary.run('request id', () => recording?.setAttribute(REQUEST_ID, requestId))
  return span
}

function foreignSpan(active: TraceContext): ServerSpan {
  return {
    context: active,
    answered(c) {
      const route = routeOf(c)
      const metadata = active.getValue(RPC_METADATA) as { route?: string } | undefined
      // Its owner names the span after it, and knows better when there is a name already.
      if (route !== undefined && metadata) metadata.route ??= route
    },
    ended() {},
  }
}

function ownSpan(
  c: Context,
  active: TraceContext,
  boundary: ErrorBoundary,
): ServerSpan | undefined {
  const tracer = tryTracer()
  if (tracer === undefined) return undefined
  const { method, path, url } = c.req
  const extracted = boundary.run('propagator', () => propagation.extract(active, c, requestHeaders))
  const parent = typeof extracted?.getValue === 'function' ? extracted : active
  const span = tracer.startSpan(
    method,
    {
      kind: SpanKind.SERVER,
      attributes: {
        [ATTR_HTTP_REQUEST_METHOD]: method,
        [ATTR_URL_PATH]: path,
        [ATTR_URL_SCHEME]: url.startsWith('https:') ? 'https' : 'http',
      },
    },
    parent,
  )
  if (!trace.isSpanContextValid(span.spanContext())) return undefined
  let isAnswered = false
  let status = 0
  let isComplete: boolean | undefined
  const endIfDone = (): void => {
    if (!isAnswered || isComplete === undefined) return
    try {
      if (status > 0) span.setAttribute(ATTR_HTTP_RESPONSE_STATUS_CODE, status)
      if (!isComplete) {
        // The client's doing, so it is no error of the server's.
        span.setAttribute(ATTR_ERROR_TYPE, 'aborted')
      } else if (status >= 500 || status === 0) {
        span.setAttribute(ATTR_ERROR_TYPE, status === 0 ? '_OTHER' : String(status))
        span.setStatus({ code: SpanStatusCode.ERROR })
      }
    } finally {
      span.end()
    }
  }
  return {
    context: trace.setSpan(parent, span),
    answered(answer) {
      isAnswered = true
      try {
        status = answer.finalized ? answer.res.status : 0
        const route = routeOf(answer)
        if (route !== undefined) {
          span.updateName(`${method} ${route}`)
          span.setAttribute(ATTR_HTTP_ROUTE, route)
        }
      } finally {
        endIfDone()
      }
    },
    ended(complete) {
      isComplete = complete
      endIfDone()
    },
  }
}

const requestHeaders: TextMapGetter<Context> = {
  get: requestHeader,
  keys: (c) => Object.keys(c.req.header()),
}
