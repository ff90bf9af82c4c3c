import { type Tracer, type TracerProvider, trace } from '@opentelemetry/api'

/** The instrumentation scope of a package's spans. */
export interface Instrumentation {
  readonly name: string
  readonly version: string
}

/**
 * The tracer of the given or the global provider, looked up at each use: one that was taken before an
 * SDK registers may record nothing for ever. `undefined` without an SDK, when nothing need be made.
 */
export function tryTracer(
  { name, version }: Instrumentation,
  provider: TracerProvider = trace.getTracerProvider(),
): Tracer | undefined {
  return isProxy(provider)
    ? provider.getDelegateTracer(name, version)
    : provider.getTracer(name, version)
}

/** The global provider of the API, which knows whether there is an SDK behind it. */
interface ProxyProvider extends TracerProvider {
  getDelegateTracer(name: string, version: string): Tracer | undefined
}

// By shape, since it may come from another copy of the API.
function isProxy(provider: TracerProvider): provider is ProxyProvider {
  return 'getDelegateTracer' in provider
}
