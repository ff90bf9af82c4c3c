import {
  context,
  type HrTime,
  propagation,
  type Span,
  trace,
  type Tracer,
} from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import {
  InMemorySpanExporter,
  type ReadableSpan,
  type Sampler,
  SimpleSpanProcessor,
  type SpanProcessor,
  TracerProvider,
} from '@opentelemetry/sdk-trace'

export interface Recording extends Disposable {
  readonly provider: TracerProvider
  /** The app's own. */
  readonly tracer: Tracer
  /** All that have ended, in that order. */
  readonly spans: readonly ReadableSpan[]
  /** Their names, sorted. */
  readonly names: readonly string[]
  named(name: string): readonly ReadableSpan[]
  /** The one with this name. */
  one(name: string): ReadableSpan
  /** Runs `fn` in a new root span, as a server runs a handler. */
  request<R>(name: string, fn: (span: Span) => Promise<R>): Promise<R>
}

export interface RecordOptions {
  readonly sampler?: Sampler
  readonly processors?: readonly SpanProcessor[]
  /** Whether it is the process's provider. */
  readonly global?: boolean
}

/** An SDK that keeps what it records; without it the process has none. */
export function record({ sampler, processors = [], global = true }: RecordOptions = {}): Recording {
  const exporter = new InMemorySpanExporter()
  const provider = new TracerProvider({
    spanProcessors: [new SimpleSpanProcessor({ exporter }), ...processors],
    ...(sampler ? { sampler } : {}),
  })
  if (global) {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
    trace.setGlobalTracerProvider(provider)
  }
  const tracer = provider.getTracer('app')
  const named = (name: string): readonly ReadableSpan[] =>
    exporter.getFinishedSpans().filter((span) => span.name === name)
  return {
    provider,
    tracer,
    named,
    get spans() {
      return exporter.getFinishedSpans()
    },
    get names() {
      return exporter
        .getFinishedSpans()
        .map(({ name }) => name)
        .toSorted()
    },
    one(name) {
      const [span, ...others] = named(name)
      if (span === undefined || others.length > 0) {
        throw new Error(`Expected one span \`${name}\`, got ${named(name).length}`)
      }
      return span
    },
    request: (name, fn) =>
      tracer.startActiveSpan(name, { root: true }, async (span) => {
        try {
          return await fn(span)
        } finally {
          span.end()
        }
      }),
    [Symbol.dispose]() {
      if (!global) return
      trace.disable()
      context.disable()
      propagation.disable()
    },
  }
}

/** µs since 1970. */
export function micros([seconds, nanoseconds]: HrTime): number {
  return seconds * 1e6 + nanoseconds / 1e3
}

/** What links and parents are compared by. */
export function idOf(span: ReadableSpan | undefined): string | undefined {
  return span && `${span.spanContext().traceId}/${span.spanContext().spanId}`
}

export function parentOf({ parentSpanContext: parent }: ReadableSpan): string | undefined {
  return parent && `${parent.traceId}/${parent.spanId}`
}

export function linksOf(span: ReadableSpan): string[] {
  return span.links.map(({ context: { traceId, spanId } }) => `${traceId}/${spanId}`)
}

/** The span called `name` in the trace of `root`. */
export function inTraceOf(recording: Recording, root: ReadableSpan, name: string): ReadableSpan {
  const { traceId } = root.spanContext()
  const [span, ...others] = recording
    .named(name)
    .filter((other) => other.spanContext().traceId === traceId)
  if (span === undefined || others.length > 0) {
    throw new Error(`Expected one span \`${name}\` in the trace of \`${root.name}\``)
  }
  return span
}

/**
 * Turns tracing off for everybody: under Bun all files share a process, and an app of another test may
 * have turned it on for good.
 */
export function turnOff(): void {
  const { [Symbol.for('@heddle/otel/users/v1')]: registry } = globalThis as Record<symbol, any>
  registry.users = []
  registry.hooks?.[Symbol.dispose]()
  registry.hooks = undefined
}
