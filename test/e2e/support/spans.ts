/** A span, whichever of Jaeger's interfaces, or which exporter, it was read from. */
export interface Span {
  readonly traceId: string
  readonly spanId: string
  readonly parent: Reference | undefined
  readonly links: readonly Reference[]
  readonly name: string
  /** µs since 1970. */
  readonly start: number
  /** µs since 1970. */
  readonly end: number
  readonly attributes: Readonly<Record<string, unknown>>
}

export interface Reference {
  readonly traceId: string
  readonly spanId: string
}

/** As `/api/traces` has them. */
export interface LegacyTraces {
  readonly data: readonly { readonly spans: readonly LegacySpan[] }[]
}

interface LegacySpan {
  readonly traceID: string
  readonly spanID: string
  readonly operationName: string
  readonly references: readonly {
    readonly refType: 'CHILD_OF' | 'FOLLOWS_FROM'
    readonly traceID: string
    readonly spanID: string
  }[]
  /** µs. */
  readonly startTime: number
  /** µs. */
  readonly duration: number
  readonly tags: readonly { readonly key: string; readonly value: unknown }[]
}

export function fromLegacy({ data }: LegacyTraces): Span[] {
  return data.flatMap(({ spans }) =>
    spans.map((span): Span => {
      const references = (type: string): Reference[] =>
        span.references
          .filter(({ refType }) => refType === type)
          .map(({ traceID, spanID }) => ({ traceId: traceID, spanId: spanID }))
      return {
        traceId: span.traceID,
        spanId: span.spanID,
        parent: references('CHILD_OF')[0],
        links: references('FOLLOWS_FROM'),
        name: span.operationName,
        start: span.startTime,
        end: span.startTime + span.duration,
        attributes: Object.fromEntries(span.tags.map(({ key, value }) => [key, value])),
      }
    }),
  )
}

/** As OTLP has them in JSON; `/api/v3/traces` has the same under `result`. */
export interface OtlpTraces {
  readonly resourceSpans?: readonly {
    readonly scopeSpans: readonly { readonly spans: readonly OtlpSpan[] }[]
  }[]
}

interface OtlpSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  /** ns, as text. */
  readonly startTimeUnixNano: string
  /** ns, as text. */
  readonly endTimeUnixNano: string
  readonly attributes?: readonly { readonly key: string; readonly value: object }[]
  readonly links?: readonly Reference[]
}

export function fromOtlp({ resourceSpans = [] }: OtlpTraces): Span[] {
  const spans = resourceSpans.flatMap(({ scopeSpans }) =>
    scopeSpans.flatMap((scope) => scope.spans),
  )
  return spans.map((span): Span => ({
    traceId: span.traceId,
    spanId: span.spanId,
    parent: span.parentSpanId ? { traceId: span.traceId, spanId: span.parentSpanId } : undefined,
    links: (span.links ?? []).map(({ traceId, spanId }) => ({ traceId, spanId })),
    name: span.name,
    start: Number(BigInt(span.startTimeUnixNano) / 1000n),
    end: Number(BigInt(span.endTimeUnixNano) / 1000n),
    attributes: Object.fromEntries(
      (span.attributes ?? []).map(({ key, value }) => [key, valueOf(value)]),
    ),
  }))
}

/** `{ stringValue: 'a' }`; whole numbers come as text. */
function valueOf(value: object): unknown {
  const [[type, content] = []] = Object.entries(value)
  return type === 'intValue' ? Number(content) : content
}
