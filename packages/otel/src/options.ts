import { aBoolean, assertOptions, oneOf, type OptionRule } from '@heddle/context/engine'
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

const aChoice = oneOf('common', 'none')

const RULES = {
  tracerProvider: provider('getTracer'),
  meterProvider: provider('getMeter'),
  baggage: aChoice,
  parent: aChoice,
} satisfies Record<keyof InstrumentBatchersOptions, OptionRule>

/** @throws TypeError for an option that is not as described, or that there is not */
export function assertInstrumentOptions(options: InstrumentBatchersOptions): void {
  assertOptions('instrumentBatchers', options, RULES)
}

/** @throws TypeError for an option that is not as described, or that there is not */
export function assertConfig(config: object): void {
  assertOptions('HeddleInstrumentation', config, { enabled: aBoolean, ...RULES })
}

function provider(method: string): OptionRule {
  return {
    expected: `an object with a method \`${method}\``,
    holds: (value) =>
      typeof value === 'object' &&
      value !== null &&
      typeof Reflect.get(value, method) === 'function',
  }
}
