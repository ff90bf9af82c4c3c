/** What the value of an option must be. */
export interface OptionRule {
  /** Follows "Expected `option` to be", for example `a function`. */
  readonly expected: string
  readonly holds: (value: unknown) => boolean
}

export type OptionRules = Readonly<Record<string, OptionRule>>

export const aBoolean: OptionRule = {
  expected: 'a boolean',
  holds: (value) => typeof value === 'boolean',
}
export const aFunction: OptionRule = {
  expected: 'a function',
  holds: (value) => typeof value === 'function',
}
export const aText: OptionRule = {
  expected: 'a string with text in it',
  holds: (value) => typeof value === 'string' && value !== '',
}
export const anAbortSignal: OptionRule = {
  expected: 'an AbortSignal',
  holds: (value) => value instanceof AbortSignal,
}
/** May be Infinity: a limit that is never reached. */
export const aPositiveTime: OptionRule = {
  expected: 'a number of ms above 0',
  holds: (value) => typeof value === 'number' && value > 0,
}

export function oneOf(...values: readonly (string | number | boolean)[]): OptionRule {
  return {
    expected: values
      .map(shown)
      .join(', ')
      .replace(/, (?=[^,]*$)/, ' or '),
    holds: (value) => values.includes(value as string),
  }
}

/**
 * Refuses options that `caller` does not know, and values that are not as its rules say. An option that
 * is `undefined` counts as absent. Costs 10 ns and what the rules of the given options cost.
 *
 * @param caller - the function that was called, for example `heddle`
 * @param parent - the option that has these options as its value, if there is one
 * @throws TypeError that names the caller and the option
 */
export function assertOptions(
  caller: string,
  options: unknown,
  rules: OptionRules,
  parent?: string,
): asserts options is object {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    const what = parent === undefined ? 'the options' : `\`${parent}\``
    throw new TypeError(`${caller}(): Expected ${what} to be an object, got ${shown(options)}`)
  }
  const prefix = parent === undefined ? '' : `${parent}.`
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(rules, name)) continue
    const known = Object.keys(rules).map((option) => `\`${prefix}${option}\``)
    throw new TypeError(
      `${caller}(): there is no option \`${prefix}${name}\`; the options are ${known.join(', ')}`,
    )
  }
  // Not of the own ones alone: whoever reads them finds what a class or a prototype has, too.
  for (const [name, rule] of Object.entries(rules)) {
    const value: unknown = Reflect.get(options, name)
    if (value !== undefined) assertOption(caller, `${prefix}${name}`, value, rule)
  }
}

/** @throws TypeError that names the caller and the option, or the argument */
export function assertOption(
  caller: string,
  option: string,
  value: unknown,
  { expected, holds }: OptionRule,
): void {
  if (holds(value)) return
  throw new TypeError(`${caller}(): Expected \`${option}\` to be ${expected}, got ${shown(value)}`)
}

/** A value in a message: its type must be seen, as `'5000'` is no number, and nothing may throw. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`
  if (typeof value === 'function') return 'a function'
  if (typeof value !== 'object' || value === null) return String(value)
  return Array.isArray(value) ? 'an array' : 'an object'
}
