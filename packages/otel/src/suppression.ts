import { type Context, createContextKey, ROOT_CONTEXT } from '@opentelemetry/api'

/** What a caller leaves who wants no spans, exporters above all. */
export const SUPPRESSED: unique symbol = Symbol('suppressed')

// A `Symbol.for` inside, so it is the SDK's own key without a dependency on @opentelemetry/core.
const SUPPRESS_TRACING = createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING')

export const suppressedContext: Context = ROOT_CONTEXT.setValue(SUPPRESS_TRACING, true)

export function isTracingSuppressed(context: Context): boolean {
  return context.getValue(SUPPRESS_TRACING) === true
}
