import {
  type Context,
  isSpanContextValid,
  type SpanContext,
  trace,
  TraceFlags,
} from '@opentelemetry/api'

import type { ItemTrace } from './item-spans.ts'

/**
 * An item of a request of which somebody has decided before that it is not sampled. It has no spans, since
 * none would be stored, and its batch links to the span that it was submitted in.
 */
export class UnsampledItem implements ItemTrace {
  readonly caller: Context
  readonly context: SpanContext
  readonly isSampled = false

  /** `undefined` if nobody has decided, or something records all the same. */
  static of(caller: Context): UnsampledItem | undefined {
    const span = trace.getSpan(caller)
    const parent = span?.spanContext()
    if (parent === undefined || (parent.traceFlags & TraceFlags.SAMPLED) !== 0) return undefined
    if (span?.isRecording() || !isSpanContextValid(parent)) return undefined
    return new UnsampledItem(caller, parent)
  }

  private constructor(caller: Context, context: SpanContext) {
    this.caller = caller
    this.context = context
  }

  get parent(): SpanContext {
    return this.context
  }

  execute(): void {}

  settle(): void {}
}
