import type { TracePropagation } from '@heddle/context/engine'
import { context, isSpanContextValid, ROOT_CONTEXT, trace, TraceFlags } from '@opentelemetry/api'

/** https://www.w3.org/TR/trace-context/#version-format */
const VERSION = '00'

/** Lets a scope that goes to another thread or process take its trace along. */
export const tracePropagation: TracePropagation = {
  write() {
    const span = trace.getSpanContext(context.active())
    if (span === undefined || !isSpanContextValid(span)) return undefined
    const flags = span.traceFlags.toString(16).padStart(2, '0')
    return `${VERSION}-${span.traceId}-${span.spanId}-${flags}`
  },

  run(traceparent, fn) {
    const [, traceId = '', spanId = '', flags = ''] = traceparent.split('-')
    const traceFlags = Number.parseInt(flags, 16) & TraceFlags.SAMPLED
    const span = { traceId, spanId, traceFlags, isRemote: true }
    return isSpanContextValid(span)
      ? context.with(trace.setSpanContext(ROOT_CONTEXT, span), fn)
      : fn()
  },
}
