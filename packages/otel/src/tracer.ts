import { type Tracer, type TracerProvider, trace } from '@opentelemetry/api'

/** The instrumentation scope of a package's spans. */
export interface Instrumentation {
  readonly name: string
  readonly version: string
}

/**
 * Makes what gives the tracer of a provider, the global one by default, to be asked at each use: one that
 * was taken before an SDK registers may record nothing for ever. It gives `undefined` without an SDK, when
 * nothing need be made.
 */
export function tracerSource({
  name,
  version,
}: Instrumentation): (provider?: TracerProvider) => Tracer | undefined {
  // An SDK looks its tracers up by text, which costs more than to see that it is still the same SDK.
  let last: TracerProvider | undefined
  let tracer: Tracer | undefined
  return (provider = trace.getTracerProvider()) => {
    const actual = isProxy(provider) ? provider.getDelegate() : provider
    if (actual === last) return tracer
    // Kept only when it is there: a provider that throws must not leave the tracer of another.
    tracer = isProxy(provider)
      ? provider.getDelegateTracer(name, version)
      : provider.getTracer(name, version)
    last = actual
    return tracer
  }
}

/** The global provider of the API, which knows whether there is an SDK behind it. */
interface ProxyProvider extends TracerProvider {
  /** The SDK's, or one of the API that does nothing. */
  getDelegate(): TracerProvider
  getDelegateTracer(name: string, version: string): Tracer | undefined
}

// By shape, since it may come from another copy of the API.
function isProxy(provider: TracerProvider): provider is ProxyProvider {
  return 'getDelegateTracer' in provider
}
