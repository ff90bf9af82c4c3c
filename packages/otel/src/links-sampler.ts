import { ErrorBoundary } from '@heddle/context/engine'
import {
  type Attributes,
  type Context,
  isSpanContextValid,
  type Link,
  type SpanKind,
  trace,
  TraceFlags,
} from '@opentelemetry/api'

/** As much of an SDK's sampler as there is to know. */
export interface Sampler {
  shouldSample(
    context: Context,
    traceId: string,
    spanName: string,
    spanKind: SpanKind,
    attributes: Attributes,
    links: Link[],
  ): { readonly decision: number }
  toString(): string
}

/** `SamplingDecision.RECORD_AND_SAMPLED` of every SDK. */
const RECORD_AND_SAMPLED = 2

/**
 * Samples a root span if one that it links to is sampled: the batch of every request that is. All other
 * spans are up to another sampler. With a ratio of 10 % alone, 9 of 10 sampled requests would link to a
 * batch that is not stored. Where the other sampler throws, the span is not sampled by it.
 *
 * @example
 * ```ts
 * new NodeSDK({
 *   sampler: new LinksSampler(new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(0.1) })),
 * })
 * ```
 */
export class LinksSampler<S extends Sampler> implements Sampler {
  readonly #others: S
  readonly #boundary = new ErrorBoundary('LinksSampler')

  /**
   * @param others - samples what has a parent, and roots without a link to a sampled span
   * @throws TypeError for what is no sampler
   */
  constructor(others: S) {
    if (typeof others?.shouldSample !== 'function') {
      throw new TypeError(
        `LinksSampler: Expected a sampler for all other spans, got ${typeof others}. ` +
          'Cure: pass the one that you had, for example a ParentBasedSampler.',
      )
    }
    this.#others = others
  }

  shouldSample(
    context: Context,
    traceId: string,
    spanName: string,
    spanKind: SpanKind,
    attributes: Attributes,
    links: Link[],
  ): ReturnType<S['shouldSample']> {
    const result = this.#boundary.run('sampler', () =>
      this.#others.shouldSample(context, traceId, spanName, spanKind, attributes, links),
    )
    const decided = (isDecision(result) ? result : UNDECIDED) as ReturnType<S['shouldSample']>
    const isTaken = decided.decision === RECORD_AND_SAMPLED
    if (isTaken) return decided
    const isWanted = this.#boundary.run('links', () => isRoot(context) && links.some(isSampled))
    return isWanted === true ? { ...decided, decision: RECORD_AND_SAMPLED } : decided
  }

  toString(): string {
    return `LinksSampler{${this.#boundary.run('toString', () => String(this.#others)) ?? '?'}}`
  }
}

/** For a sampler that fails: what it would throw goes to whoever starts a span, in every library. */
const UNDECIDED = { decision: 0 } // `SamplingDecision.NOT_RECORD` of every SDK

function isDecision(result: unknown): boolean {
  return typeof result === 'object' && result !== null && 'decision' in result
}

function isRoot(context: Context): boolean {
  const parent = trace.getSpanContext(context)
  return parent === undefined || !isSpanContextValid(parent)
}

function isSampled({ context }: Link): boolean {
  return (context.traceFlags & TraceFlags.SAMPLED) !== 0
}
