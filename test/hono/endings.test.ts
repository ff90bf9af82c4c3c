/**
 * The table of how a request can end: every transport that this runtime has, with every kind of answer.
 * The other runtime's rows are made by the same file there.
 */
import type { Scope } from '@heddle/context'
import { context, SpanKind, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { type ReadableSpan, type SpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'

import { until } from '../support/crank.ts'
import { reachable } from '../support/gc.ts'
import { createService, type Service } from './endings/service.ts'
import { type Exchange, transports } from './endings/transports.ts'

interface Case {
  readonly path: string
  readonly method?: string
  readonly status: number
  readonly body?: string
  /** What happens until the scope has closed, in order. */
  readonly events: readonly string[]
  /** The same where nobody tells when a response has ended that Hono has not made of a stream. */
  readonly untold?: readonly string[]
  /** To be done before the request is sent, and before its answer is waited for. */
  before?(service: Service): Promise<void>
  during?(service: Service, exchange: Exchange): Promise<void>
  after?(service: Service): Promise<void>
  /** Whether the client has left. */
  readonly left?: true
  /** What the span says of the error. */
  readonly error?: string
}

const UNTOLD = new Set(['in process', 'Bun on a unix socket'])

const SHORT = ['answered', 'span', 'closed']
const CHUNKS = ['answered', 'one', 'two', 'three', 'span', 'closed']

const cases: Readonly<Record<string, Case>> = {
  JSON: { path: '/json', status: 200, body: '{"ok":true}', events: SHORT },
  empty: { path: '/empty', status: 204, body: '', events: SHORT },
  HEAD: { path: '/json', method: 'HEAD', status: 200, body: '', events: SHORT },
  redirect: { path: '/redirect', status: 302, body: '', events: SHORT },
  stream: { path: '/stream', status: 200, body: 'onetwothree', events: CHUNKS },
  'raw stream': {
    path: '/raw',
    status: 200,
    body: 'onetwothree',
    events: CHUNKS,
    untold: ['answered', 'span', 'closed', 'one', 'two', 'three'],
  },
  'raw text': { path: '/raw-text', status: 200, body: 'text', events: SHORT },
  'bound stream': {
    path: '/bound',
    status: 200,
    body: 'onetwothree',
    events: CHUNKS,
    untold: ['answered', 'span', 'one', 'two', 'three', 'closed'],
  },
  'body of a stream': { path: '/body', status: 200, body: 'onetwothree', events: CHUNKS },
  'copied stream': { path: '/copied', status: 200, body: 'onetwothree', events: CHUNKS },
  'JSON with cors()': { path: '/cors/json', status: 200, body: '{"ok":true}', events: SHORT },
  'stream with cors()': { path: '/cors/stream', status: 200, body: 'onetwothree', events: CHUNKS },
  SSE: {
    path: '/sse',
    status: 200,
    body: 'data: one\n\ndata: two\n\ndata: three\n\n',
    events: CHUNKS,
  },
  'handler throws': { path: '/throws', status: 500, body: '', events: SHORT, error: '500' },
  404: { path: '/nowhere', status: 404, body: '404 Not Found', events: SHORT },
  timeout: {
    path: '/late',
    status: 504,
    events: SHORT,
    error: '504',
    // Its batch is still running when it is answered.
    during: async ({ calls, events }) => {
      await until(() => events.includes('span'))
      calls[0]?.finish(['too late'])
    },
  },
  overload: {
    path: '/batched',
    status: 503,
    events: SHORT,
    error: '503',
    before: async ({ batcher, calls }) => {
      void batcher.submit('running')
      await until(() => calls.length === 1)
      void batcher.submit('queued')
    },
    after: async ({ calls }) => {
      calls[0]?.finish([''])
      await until(() => calls.length === 2)
      calls[1]?.finish([''])
    },
  },
  'client leaves while queued': {
    path: '/batched',
    status: 499,
    events: SHORT,
    error: 'aborted',
    left: true,
    before: async ({ batcher, calls }) => {
      void batcher.submit('running')
      await until(() => calls.length === 1)
    },
    during: async ({ batcher }, exchange) => {
      await until(() => batcher.stats().queued === 1)
      exchange.leave()
      await until(() => batcher.stats().queued === 0)
    },
    after: async ({ batcher, calls }) => {
      calls[0]?.finish([''])
      await batcher.drain()
      expect(calls).toHaveLength(1)
    },
  },
  'client leaves while running': {
    path: '/batched',
    status: 499,
    events: SHORT,
    error: 'aborted',
    left: true,
    during: async ({ calls, events }, exchange) => {
      await until(() => calls.length === 1)
      exchange.leave()
      await until(() => events.includes('span') && events.includes('answered'))
      // The scope stays open for what runs.
      expect(events).not.toContain('closed')
      calls[0]?.finish([''])
    },
  },
  'client leaves before a stream begins': {
    path: '/deaf',
    status: 200,
    events: SHORT,
    error: 'aborted',
    left: true,
    during: async ({ scopes }, exchange) => {
      await until(() => scopes.length === 1)
      exchange.leave()
    },
  },
  'client leaves mid-stream': {
    path: '/endless',
    status: 200,
    events: SHORT,
    error: 'aborted',
    left: true,
    during: async ({ stopped }, exchange) => {
      await exchange.firstChunk()
      exchange.leave()
      await stopped
    },
  },
}

/** Notes the end of a request's span among the other events. */
class Notes implements SpanProcessor {
  events: string[] = []
  spans: ReadableSpan[] = []

  onStart(): void {}

  onEnd(span: ReadableSpan): void {
    if (span.kind !== SpanKind.SERVER) return
    this.spans.push(span)
    this.events.push('span')
  }

  forceFlush(): Promise<void> {
    return Promise.resolve()
  }

  shutdown(): Promise<void> {
    return Promise.resolve()
  }
}

const notes = new Notes()

beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager())
  trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors: [notes] }))
})

afterAll(() => {
  trace.disable()
  context.disable()
})

beforeEach(() => {
  notes.events = []
  notes.spans = []
})

describe.each(Object.entries(transports))('%s', (name, open) => {
  it.each(Object.entries(cases))('%s', async (_case, expected) => {
    const service = createService(notes.events)
    await using client = await open(service.app)
    await expected.before?.(service)
    const exchange = client.send(expected.path, expected.method ?? 'GET')
    const status = exchange.status.catch(() => 'left')
    await expected.during?.(service, exchange)

    const answers = expected.left ? ['left', expected.status] : [expected.status]
    expect(answers).toContain(await status)
    const body = expected.left ? undefined : await exchange.text()
    expect(body).toBe(expected.body ?? body)
    const { events, untold = events } = expected
    const own = UNTOLD.has(name) ? untold : events
    await until(() => service.events.length >= own.length)
    await expected.after?.(service)

    expect(service.events).toEqual(own)
    expect(service.scopes).toHaveLength(1)
    const [scope] = service.scopes as [Scope]
    expect(scope.state).toBe('closed')
    expect(abortOf(scope)).toBe(expected.left ? 'AbortError' : 'none')
    expect(notes.spans.map(({ attributes }) => attributes)).toEqual([
      expect.objectContaining({ 'http.response.status_code': expected.status }),
    ])
    expect(notes.spans[0]?.attributes['error.type']).toBe(expected.error)
    expect(service.batcher.stats()).toMatchObject({ queued: 0, inFlight: 0 })
  })

  it('keeps nothing of the requests that have ended', async () => {
    const service = createService()
    {
      await using client = await open(service.app)
      for (const path of ['/json', '/stream', '/sse', '/throws', '/nowhere', '/empty']) {
        const exchange = client.send(path, 'GET')
        await exchange.status
        await exchange.text()
      }
    }
    await until(() => service.scopes.every(({ state }) => state === 'closed'))
    // The scopes are held by the test; what they led to is not.
    expect(service.contexts).toHaveLength(6)
    expect(await reachable(service.contexts)).toBeLessThanOrEqual(1)
  })
})

function abortOf({ signal }: Scope): string {
  if (!signal.aborted) return 'none'
  return signal.reason instanceof Error ? signal.reason.name : 'no error'
}
