import { BatcherError } from './errors.ts'
import type { Batch, CloseOptions, SubmitOptions } from './types.ts'

export interface BatcherOptions<I, O> {
  /** Names the batcher in spans, metrics and errors. */
  readonly name: string
  /**
   * The batch function. It must return one result per input, in the order of the inputs; an `Error` in
   * the place of a result rejects that item alone. It runs in a scope of its own: no request is current.
   */
  readonly run: (
    inputs: readonly I[],
    batch: Batch<I>,
  ) => PromiseLike<readonly (O | Error)[]> | readonly (O | Error)[]
  /**
   * The most items of a batch.
   *
   * @defaultValue 64
   */
  readonly maxBatchSize?: number
  /**
   * What an item costs, in a unit of your own (tokens, bytes, rows): a positive number. It runs in the
   * caller's context, once per item, and must be pure.
   *
   * @defaultValue 1 each
   */
  readonly cost?: (input: I) => number
  /**
   * The most that the items of a batch may cost together, in the unit of `cost`.
   *
   * @defaultValue Infinity
   */
  readonly maxBatchCost?: number
  /**
   * Batches in flight at a time. More than one pays only if the backend really works in parallel.
   *
   * @defaultValue 1
   */
  readonly maxConcurrency?: number
  /**
   * ms to wait for more items once a slot is free and an item is there.
   *
   * @defaultValue 0
   */
  readonly linger?: number
  /**
   * ms since its submit that lingering may hold an item back.
   *
   * @defaultValue `max(50, linger)`
   */
  readonly maxWait?: number
  /**
   * When a batch that need not wait starts: `immediate` lets every socket that can be read in this
   * turn of the event loop join; `microtask` takes only what is submitted in the same task.
   *
   * @defaultValue `'immediate'`
   */
  readonly coalesce?: 'immediate' | 'microtask'
  /**
   * The most items that wait; beyond it a submit is rejected with `QUEUE_FULL`.
   *
   * @defaultValue 1024
   */
  readonly maxQueueSize?: number
  /**
   * ms from an item's submit to its settlement.
   *
   * @defaultValue none
   */
  readonly timeout?: number
  /**
   * Items of different partitions never share a batch. It runs in the caller's context, once per item,
   * and must be pure.
   */
  readonly partitionBy?: (input: I) => string
}

/** The options with their defaults. */
export type ResolvedOptions<I, O> = BatcherOptions<I, O> &
  Required<Omit<BatcherOptions<I, O>, 'cost' | 'timeout' | 'partitionBy'>>

export function resolveOptions<I, O>(options: BatcherOptions<I, O>): ResolvedOptions<I, O> {
  const name: unknown = options?.name
  if (typeof name !== 'string' || name === '') {
    throw new BatcherError('INVALID_OPTION', '', expected('name', 'a string with text in it', name))
  }
  const resolved = {
    ...options,
    // Named, so that it is checked where it is missing.
    run: options.run,
    maxBatchSize: options.maxBatchSize ?? 64,
    maxBatchCost: options.maxBatchCost ?? Number.POSITIVE_INFINITY,
    maxConcurrency: options.maxConcurrency ?? 1,
    linger: options.linger ?? 0,
    maxWait: options.maxWait ?? Math.max(50, options.linger ?? 0),
    coalesce: options.coalesce ?? 'immediate',
    maxQueueSize: options.maxQueueSize ?? 1024,
  }
  for (const [option, value] of Object.entries(resolved)) {
    const rule = Object.hasOwn(RULES, option) ? RULES[option] : undefined
    if (rule === undefined) {
      const known = Object.keys(RULES).join('`, `')
      throw new BatcherError(
        'INVALID_OPTION',
        name,
        `Batcher \`${name}\`: there is no option \`${option}\`; the options are \`${known}\``,
      )
    }
    if (value !== undefined || option === 'run') assertOption(name, option, value, rule)
  }
  return resolved
}

/** Checked only when a caller gives options, which few do. */
export function assertSubmitOptions(batcher: string, options: SubmitOptions): void {
  const { signal, timeout, onTiming } = options
  if (signal !== undefined) assertOption(batcher, 'signal', signal, abortSignal)
  if (timeout !== undefined) assertOption(batcher, 'timeout', timeout, positive)
  if (onTiming !== undefined) assertOption(batcher, 'onTiming', onTiming, aFunction)
}

export function assertCloseOptions(batcher: string, { timeout }: CloseOptions): void {
  if (timeout !== undefined) assertOption(batcher, 'timeout', timeout, milliseconds)
}

interface Rule {
  readonly expected: string
  readonly holds: (value: unknown) => boolean
}

const isNumber = (value: unknown): value is number => typeof value === 'number'
const text: Rule = { expected: 'a string', holds: (value) => typeof value === 'string' }
const aFunction: Rule = { expected: 'a function', holds: (value) => typeof value === 'function' }
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
const moment: Rule = {
  expected: "'immediate' or 'microtask'",
  holds: (value) => value === 'immediate' || value === 'microtask',
}
const abortSignal: Rule = {
  expected: 'an AbortSignal',
  holds: (value) => value instanceof AbortSignal,
}

const RULES: Record<string, Rule> = {
  name: text,
  run: aFunction,
  maxBatchSize: count,
  cost: aFunction,
  maxBatchCost: positive,
  maxConcurrency: count,
  linger: milliseconds,
  maxWait: milliseconds,
  coalesce: moment,
  maxQueueSize: count,
  timeout: positive,
  partitionBy: aFunction,
} satisfies Record<keyof BatcherOptions<never, never>, Rule>

function assertOption(batcher: string, option: string, value: unknown, rule: Rule): void {
  if (rule.holds(value)) return
  throw new BatcherError(
    'INVALID_OPTION',
    batcher,
    `Batcher \`${batcher}\`: ${expected(option, rule.expected, value)}`,
  )
}

function expected(option: string, what: string, value: unknown): string {
  const got = typeof value === 'object' && value !== null ? 'an object' : String(value)
  return `Expected \`${option}\` to be ${what}, got ${got}`
}
