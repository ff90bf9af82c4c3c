import { thrown } from '../../support/faults.ts'

/** What a broken method does in the place of what it should. */
export type Break = () => unknown

/** A method that throws everything there is, and one that returns what makes no sense. */
export const breaks: readonly [string, Break][] = [
  ...Object.entries(thrown).map(([what, make]): [string, Break] => [
    `throws ${what}`,
    () => {
      throw make()
    },
  ]),
  ['returns undefined', () => undefined],
  ['returns null', () => null],
  ['returns nonsense', () => Object.create(null) as object],
]

/**
 * A provider, and everything that it makes, of which one method is broken: `startSpan`, `end` and so on.
 *
 * @param when - which calls are; by default all
 */
export function sabotaged<T extends object>(
  target: T,
  method: string,
  fail: Break,
  when: (args: readonly unknown[]) => boolean = () => true,
): T {
  return new Proxy(target, {
    get(_target, property): unknown {
      // With the object itself as `this`, since an SDK has private fields.
      const value: unknown = Reflect.get(target, property, target)
      if (typeof value !== 'function') return value
      return (...args: unknown[]): unknown => {
        if (property === method && when(args)) return fail()
        const result: unknown = Reflect.apply(value, target, args)
        const isMade = typeof result === 'object' && result !== null && result !== target
        return isMade && MAKERS.has(String(property))
          ? sabotaged(result, method, fail, when)
          : result
      }
    },
  })
}

/** A provider of which every method is broken now and then, each time in another way. */
export function unreliable<T extends object>(target: T, random: () => number): T {
  const failNow: Break = () => {
    const [, fail] = breaks[Math.floor(random() * breaks.length)] as (typeof breaks)[number]
    return fail()
  }
  return METHODS.reduce(
    (provider, method) => sabotaged(provider, method, failNow, () => random() < 0.15),
    target,
  )
}

/** What is called of a tracer provider and of what it makes. */
export const TRACER_METHODS: readonly string[] = [
  'getTracer',
  'startSpan',
  'spanContext',
  'isRecording',
  'setAttribute',
  'setAttributes',
  'setStatus',
  'recordException',
  'end',
]

/** The same of a meter provider. */
export const METER_METHODS: readonly string[] = [
  'getMeter',
  'createHistogram',
  'createCounter',
  'createObservableUpDownCounter',
  'addCallback',
  'record',
  'add',
]

const METHODS = [...TRACER_METHODS, 'updateName', ...METER_METHODS, 'active', 'with', 'extract']

const MAKERS = new Set([
  'getTracer',
  'startSpan',
  'getMeter',
  'createHistogram',
  'createCounter',
  'createObservableUpDownCounter',
])
