import type { TracerProvider } from '@opentelemetry/api'

export interface InstrumentBatchersOptions {
  /** Where spans go. @defaultValue the global provider, looked up at each use */
  readonly tracerProvider?: TracerProvider | undefined
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
export function assertOptions({ tracerProvider, parent }: InstrumentBatchersOptions): void {
  if (parent !== undefined && parent !== 'common' && parent !== 'none') {
    throw new TypeError(`Expected \`parent\` to be 'common' or 'none', got ${String(parent)}`)
  }
  if (tracerProvider !== undefined && typeof tracerProvider?.getTracer !== 'function') {
    const got = tracerProvider === null ? 'null' : typeof tracerProvider
    throw new TypeError(`Expected \`tracerProvider\` to have a method \`getTracer\`, got ${got}`)
  }
}
