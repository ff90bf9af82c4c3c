import {
  type Context,
  context,
  type ContextManager,
  createContextKey,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  type TextMapPropagator,
  trace,
  type TracerProvider as Provider,
} from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { breaks, sabotaged } from '../../otel/containment/sabotage.ts'
import { turnOff } from '../../otel/recording.ts'
import { turn, until } from '../../support/crank.ts'
import { watchProcess } from '../../support/faults.ts'
import { listen } from '../../support/server.ts'
import { answers, appWith, EXPECTED, HEADERS } from './app.ts'

const exporter = new InMemorySpanExporter()
const boom = (): never => {
  throw new Error('telemetry is broken')
}

interface Telemetry {
  readonly provider?: Provider
  readonly manager?: ContextManager
  readonly propagator?: TextMapPropagator
}

function install({ provider = recording(), manager, propagator }: Telemetry): void {
  context.setGlobalContextManager(manager ?? new AsyncLocalStorageContextManager())
  trace.setGlobalTracerProvider(provider)
  if (propagator) propagation.setGlobalPropagator(propagator)
}

function recording(): TracerProvider {
  return new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] })
}

beforeEach(turnOff)

afterEach(() => {
  turnOff()
  exporter.reset()
  trace.disable()
  context.disable()
  propagation.disable()
})

const methods = [
  'getTracer',
  'startSpan',
  'spanContext',
  'isRecording',
  'setAttribute',
  'setStatus',
  'updateName',
  'end',
]

const extracting = (extract: () => unknown): TextMapPropagator => ({
  extract: extract as () => Context,
  inject: boom,
  fields: () => [],
})

const managing = (broken: Partial<ContextManager>): ContextManager =>
  Object.assign(new AsyncLocalStorageContextManager(), broken)

const parts: readonly [string, () => Telemetry][] = [
  ...methods.flatMap((method) =>
    breaks.map(([how, fail]): [string, () => Telemetry] => [
      `a tracer whose ${method} ${how}`,
      () => ({ provider: sabotaged(recording(), method, fail) }),
    ]),
  ),
  ...breaks.map(([how, fail]): [string, () => Telemetry] => [
    `a propagator that ${how}`,
    () => ({ propagator: extracting(fail) }),
  ]),
  ...breaks.map(([how, fail]): [string, () => Telemetry] => [
    `a context manager whose \`active\` ${how}`,
    () => ({ manager: managing({ active: fail as () => Context }) }),
  ]),
  ...breaks.map(([how, fail]): [string, () => Telemetry] => [
    `a context manager whose \`with\` ${how}`,
    () => ({ manager: managing({ with: fail as ContextManager['with'] }) }),
  ]),
  ...breaks.map(([how, fail]): [string, () => Telemetry] => [
    `a context manager whose \`with\` calls and ${how}`,
    () => ({
      manager: managing({
        with: ((_active: Context, fn: () => unknown) => {
          fn()
          return fail()
        }) as ContextManager['with'],
      }),
    }),
  ]),
]

describe('requests beside telemetry that misbehaves (R11)', () => {
  it.each(parts)('are answered as without it: %s', async (_name, telemetry) => {
    install(telemetry())
    using watch = watchProcess()
    const app = appWith()
    const got = await answers(app, async (path) => app.hono.request(path, { headers: HEADERS }))
    await turn()
    expect(got).toEqual(EXPECTED)
    expect(watch.uncaught).toEqual([])
    expect(watch.culprits).toEqual([...new Set(watch.culprits)])
    for (const culprit of watch.culprits) expect(culprit).toMatch(/^@heddle\/(?:hono|otel) /)
  })

  const idle = { onStart() {}, onEnd() {}, forceFlush: async () => {}, shutdown: async () => {} }
  const servers: readonly [string, () => Telemetry][] = [
    [
      'a span processor whose onStart throws',
      () => ({ provider: new TracerProvider({ spanProcessors: [{ ...idle, onStart: boom }] }) }),
    ],
    [
      'a span processor whose onEnd throws',
      () => ({ provider: new TracerProvider({ spanProcessors: [{ ...idle, onEnd: boom }] }) }),
    ],
    [
      'a sampler that throws',
      () => ({
        provider: new TracerProvider({
          spanProcessors: [idle],
          sampler: { shouldSample: boom, toString: boom },
        }),
      }),
    ],
    ['a propagator that throws', () => ({ propagator: extracting(boom) })],
    ['a context manager that throws', () => ({ manager: managing({ with: boom }) })],
  ]

  it.each(servers)('are answered on a real server: %s', async (_name, telemetry) => {
    install(telemetry())
    using watch = watchProcess()
    const app = appWith()
    await using server = await listen(app.hono)
    const send = (path: string): Promise<Response> => fetch(server.url + path, { headers: HEADERS })
    expect(await answers(app, send)).toEqual(EXPECTED)
    expect(await answers(app, send)).toEqual(EXPECTED)
    // A client that leaves, too.
    const client = new AbortController()
    const left = fetch(`${server.url}/stream`, { signal: client.signal })
    client.abort()
    await left.catch(() => {})
    await until(() => app.scopes.every(({ state }) => state === 'closed'))
    await turn()
    expect(watch.uncaught).toEqual([])
    expect(watch.culprits.length).toBeGreaterThan(0)
    expect(watch.culprits).toEqual([...new Set(watch.culprits)])
  })
})

describe('what is left of a trace', () => {
  const serverSpans = (): string[] =>
    exporter
      .getFinishedSpans()
      .filter(({ kind }) => kind === SpanKind.SERVER)
      .map(({ name }) => name)

  it.each(['setAttribute', 'setStatus', 'updateName'])(
    'the server span ends although its %s throws',
    async (method) => {
      install({ provider: sabotaged(recording(), method, boom) })
      const app = appWith()
      await answers(app, async (path) => app.hono.request(path))
      expect(serverSpans()).toHaveLength(EXPECTED.length)
    },
  )

  it('the server span is a root where the propagator fails', async () => {
    using watch = watchProcess()
    install({ propagator: extracting(boom) })
    const app = appWith()
    await (await app.hono.request('/cities/1')).text()
    expect(serverSpans()).toEqual(['GET /cities/:id'])
    expect(watch.culprits).toEqual(['@heddle/hono propagator'])
    expect(watch.warnings[0]?.message).toContain(
      '`propagator` of `@heddle/hono` failed: Error: telemetry is broken',
    )
  })
})

describe('a server span of somebody else', () => {
  const RPC_METADATA = createContextKey('OpenTelemetry SDK Context Key RPC_METADATA')

  it.each(breaks)('that %s changes nothing', async (_name, fail) => {
    install({})
    using watch = watchProcess()
    const span: Span = sabotaged(trace.getTracer('theirs').startSpan('GET'), 'setAttribute', fail)
    const metadata = Object.freeze({ type: 'http', route: undefined })
    const active = trace.setSpan(ROOT_CONTEXT, span).setValue(RPC_METADATA, metadata)
    const app = appWith()
    const send = async (path: string): Promise<Response> =>
      context.with(active, () => app.hono.request(path, { headers: HEADERS }))
    expect(await answers(app, send)).toEqual(EXPECTED)
    expect(watch.uncaught).toEqual([])
    expect(watch.culprits).toContain('@heddle/hono answered server span')
  })

  it('still gets the route where it takes no attribute', async () => {
    install({})
    const span: Span = sabotaged(trace.getTracer('theirs').startSpan('GET'), 'setAttribute', boom)
    const metadata: { readonly type: string; route?: string } = { type: 'http' }
    const active = trace.setSpan(ROOT_CONTEXT, span).setValue(RPC_METADATA, metadata)
    await context.with(active, () => appWith().hono.request('/cities/1'))
    expect(metadata.route).toBe('/cities/:id')
  })
})
