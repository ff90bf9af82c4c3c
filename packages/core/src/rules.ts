import {
  aBoolean,
  aFunction,
  anAbortSignal,
  aText,
  type OptionRule as Rule,
} from '@heddle/context/engine'

import { BatcherError } from './errors.ts'
import type { BatcherOptions, Configuration, ResolvedOptions } from './options.ts'
import { PRIORITIES } from './priority.ts'
import type { CloseOptions, SubmitOptions } from './types.ts'

const isNumber = (value: unknown): value is number => typeof value === 'number'
const count: Rule = {
  expected: 'a whole number of at least 1',
  holds: (value) =>
    isNumber(value) &&
    value >= 1 &&
    (Number.isInteger(value) || value === Number.POSITIVE_INFINITY),
}
const positive: Rule = {
  expected: 'a number above 0',
  holds: (value) => isNumber(value) && value > 0,
}
const milliseconds: Rule = {
  expected: 'a number of ms of at least 0',
  holds: (value) => isNumber(value) && value >= 0 && value < Number.POSITIVE_INFINITY,
}
const linger: Rule = {
  expected: `${milliseconds.expected}, or 'auto'`,
  holds: (value) => value === 'auto' || milliseconds.holds(value),
}

function oneOf(...values: readonly string[]): Rule {
  return {
    expected: values.map((value) => `'${value}'`).join(' or '),
    holds: (value) => typeof value === 'string' && values.includes(value),
  }
}

const RULES: Record<string, Rule> = {
  name: aText,
  run: aFunction,
  maxBatchSize: count,
  cost: aFunction,
  maxBatchCost: positive,
  maxConcurrency: count,
  linger,
  maxWait: milliseconds,
  minBatchSize: count,
  coalesce: oneOf('immediate', 'microtask'),
  maxQueueSize: count,
  timeout: positive,
  partitionBy: aFunction,
  tenantBy: aFunction,
  dedupeBy: aFunction,
  ageing: milliseconds,
  onFailure: oneOf('reject', 'bisect'),
  abortGrace: milliseconds,
  strictStores: aBoolean,
} satisfies Record<keyof BatcherOptions<never, never>, Rule>

const CONFIGURABLE: ReadonlySet<string> = new Set([
  'maxBatchSize',
  'maxBatchCost',
  'maxConcurrency',
  'linger',
  'maxWait',
  'maxQueueSize',
  'timeout',
] satisfies (keyof Configuration)[])

export function assertBatcherOptions(options: ResolvedOptions<any, any>): void {
  const name = aText.holds(options.name) ? options.name : ''
  assertOption(name, 'name', options.name, aText)
  for (const [option, value] of Object.entries(options)) {
    const rule = Object.hasOwn(RULES, option) ? RULES[option] : undefined
    if (rule === undefined) throw unknownOption(name, option, Object.keys(RULES))
    if (value !== undefined || option === 'run') assertOption(name, option, value, rule)
  }
  const { minBatchSize, maxBatchSize } = options
  if (minBatchSize > maxBatchSize) {
    throw invalid(name, expected('minBatchSize', `at most ${maxBatchSize}`, minBatchSize))
  }
}

export function assertConfiguration(batcher: string, patch: Configuration): void {
  const unknown = Object.keys(patch).find((option) => !CONFIGURABLE.has(option))
  if (unknown !== undefined) throw unknownOption(batcher, unknown, [...CONFIGURABLE])
}

/** Checked only when a caller gives options, which few do. */
export function assertSubmitOptions(batcher: string, options: SubmitOptions): void {
  const { signal, timeout, priority, onTiming } = options
  if (signal !== undefined) assertOption(batcher, 'signal', signal, anAbortSignal)
  if (timeout !== undefined) assertOption(batcher, 'timeout', timeout, positive)
  if (priority !== undefined) assertOption(batcher, 'priority', priority, aPriority)
  if (onTiming !== undefined) assertOption(batcher, 'onTiming', onTiming, aFunction)
}

const aPriority: Rule = oneOf(...PRIORITIES)

export function assertCloseOptions(batcher: string, { timeout }: CloseOptions): void {
  if (timeout !== undefined) assertOption(batcher, 'timeout', timeout, milliseconds)
}

function assertOption(batcher: string, option: string, value: unknown, rule: Rule): void {
  if (!rule.holds(value)) throw invalid(batcher, expected(option, rule.expected, value))
}

function expected(option: string, what: string, value: unknown): string {
  const got = typeof value === 'object' && value !== null ? 'an object' : String(value)
  return `Expected \`${option}\` to be ${what}, got ${got}`
}

function unknownOption(batcher: string, option: string, known: readonly string[]): BatcherError {
  return invalid(
    batcher,
    `there is no option \`${option}\`; the options are \`${known.join('`, `')}\``,
  )
}

function invalid(batcher: string, message: string): BatcherError {
  const prefix = batcher === '' ? '' : `Batcher \`${batcher}\`: `
  return new BatcherError('INVALID_OPTION', batcher, `${prefix}${message}`)
}
