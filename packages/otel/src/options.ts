import type { MeterProvider, TracerProvider } from '@opentelemetry/api'

export interface InstrumentBatchersOptions {
  /** Where spans go. @defaultValue the global provider, looked up at each use */
  readonly tracerProvider?: TracerProvider | undefined
  /** Where metrics go. @defaultValue the global provider, looked up at each use */
  readonly meterProvider?: MeterProvider | undefined
  /**
   * What a batch function finds as baggage: the entries that are equal in all members, for what it sends to
   * other services; or none.
   *
   * @defaultValue `'none'`
   */
  readonly baggage?: 'common' | 'none' | undefined
  /**
   * What the span of a batch is a child of if all members were submitted in the same span, for example
   * by the resolvers of one GraphQL request: of that span, or of none. Where they were not, it is
   * always a root.
   *
   * @defaultValue `'common'`
   */
  readonly parent?: 'common' | 'none' | undefined
}

/** @throws TypeError for a value that is not as described */
export function assertOptions({
  tracerProvider,
  meterProvider,
  parent,
  baggage,
}: InstrumentBatchersOptions): void {
  if (baggage !== undefined && baggage !== 'common' && baggage !== 'none') {
    throw new TypeError(`Expected \`baggage\` to be 'common' or 'none', got ${String(baggage)}`)
  }
  if (parent !== undefined && parent !== 'common' && parent !== 'none') {
    throw new TypeError(`Expected \`parent\` to be 'common' or 'none', got ${String(parent)}`)
  }
  if (tracerProvider !== undefined && typeof tracerProvider?.getTracer !== 'function') {
    const got = tracerProvider === null ? 'null' : typeof tracerProvider
    throw new TypeError(`Expected \`tracerProvider\` to have a method \`getTracer\`, got ${got}`)
  }
  if (meterProvider !== undefined && typeof meterProvider?.getMeter !== 'function') {
    const got = meterProvider === null ? 'null' : typeof meterProvider
    throw new TypeError(`Expected \`meterProvider\` to have a method \`getMeter\`, got ${got}`)
  }
}
