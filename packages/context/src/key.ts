import { ContextError, inBatch, noScope, noValue } from './errors.ts'
import { placeOf, register } from './key-records.ts'
import { assertKeyName, assertRule } from './key-rules.ts'
import { storage } from './registry.ts'
import { run } from './run.ts'
import type { BaseScope } from './scope.ts'
import type {
  BatchRule,
  Carry,
  ContextEntry,
  ContextKey,
  ContextKeyOptions,
  DefaultedContextKey,
} from './types.ts'
import { isDevelopment, warn } from './warning.ts'

/**
 * Creates a key. Make keys once, at module level: each is a slot that lasts as long as the process.
 *
 * @throws TypeError when `name` is empty or `options.batch` is not a rule
 * @throws ContextError `DUPLICATE_KEY` when another module has a key of this name with `carry`
 * @example
 * ```ts
 * const tenant = createKey<string>('app.tenant', { batch: 'partition' })
 * tenant.run('acme', () => tenant.get()) // 'acme'
 * ```
 */
export function createKey<T>(
  name: string,
  options: ContextKeyOptions<T> & { readonly default: T },
): DefaultedContextKey<T>
export function createKey<T>(name: string, options?: ContextKeyOptions<T>): ContextKey<T>
export function createKey<T>(name: string, options: ContextKeyOptions<T> = {}): ContextKey<T> {
  return new Key(name, options)
}

/**
 * Its fields are plain, since another copy of this package may read them: the index is a place in
 * every scope's slots, given out once per process.
 */
export class Key<T> implements ContextKey<T> {
  readonly name: string
  readonly index: number
  readonly defaultValue: T | undefined
  readonly initial: (() => T) | undefined
  /** Whether a child scope starts with its parent's value. */
  readonly isInherited: boolean
  readonly rule: BatchRule<T>
  readonly redact: boolean
  readonly carry: Carry<T> | undefined

  constructor(name: string, options: ContextKeyOptions<T>) {
    const { batch = 'hide', child = 'inherit', redact = false, carry } = options
    assertKeyName(name)
    assertRule(name, batch)
    if (child !== 'inherit' && child !== 'drop') {
      throw new TypeError(
        `Expected \`child\` of key \`${name}\` to be 'inherit' or 'drop', got ${String(child)}`,
      )
    }
    assertInitial(name, options)
    const place = placeOf(name, carry, createKey)
    this.name = name
    this.index = place.index
    this.defaultValue = options.default
    this.initial = options.initial
    this.isInherited = child === 'inherit'
    this.rule = batch
    this.redact = redact
    this.carry = carry
    register(this, place)
  }

  get(): T | undefined {
    const scope = storage.getStore()
    const value = scope?.read(this.index, this.name) as T | undefined
    if (value !== undefined) return value
    return this.initial === undefined ? this.defaultValue : scope?.initialise(this)
  }

  getOrThrow(): T {
    const value = this.get()
    if (value !== undefined) return value
    const scope = storage.getStore()
    if (scope === undefined) throw noScope(`\`${this.name}\``)
    const { batch } = scope
    throw batch ? inBatch(this.name, batch.name, batch.size) : noValue(this.name)
  }

  set(value: T): void {
    this.#writable().write(this.index, this.name, value)
  }

  setOnce(value: T): void {
    const scope = this.#writable()
    if (scope.read(this.index, this.name) !== undefined) {
      throw new ContextError(
        'ALREADY_SET',
        `\`${this.name}\` has a value already in scope \`${scope.id}\`. ` +
          'Likely cause: the code that sets it ran twice for this request. ' +
          'Cure: use `set()` if a second value is meant to win.',
      )
    }
    scope.write(this.index, this.name, value)
  }

  run<R>(value: T, fn: () => R): R {
    return run([this.of(value)], fn)
  }

  of(value: T): ContextEntry<T> {
    return { key: this, value }
  }

  #writable(): BaseScope {
    const scope = storage.getStore()
    if (scope === undefined) throw noScope(`\`${this.name}\``)
    const { batch } = scope
    if (scope.isReadOnly && batch) throw inBatch(this.name, batch.name, batch.size)
    return scope
  }
}

function assertInitial<T>(name: string, options: ContextKeyOptions<T>): void {
  const { initial } = options
  if (initial !== undefined) {
    if (typeof initial !== 'function') {
      throw new TypeError(
        `Expected \`initial\` of key \`${name}\` to be a function, got ${typeof initial}`,
      )
    }
    if (options.default !== undefined) {
      throw new TypeError(
        `Expected \`default\` or \`initial\` for key \`${name}\`, got both: with \`initial\` no scope is without a value`,
      )
    }
  }
  const shared: unknown = options.default
  if (typeof shared !== 'object' || shared === null || Object.isFrozen(shared) || !isDevelopment())
    return
  warn(
    'SHARED_DEFAULT',
    name,
    `The \`default\` of key \`${name}\` is an object, which every request shares: what one writes into it, all others read. ` +
      'Cure: `initial: () => …` makes a separate value for each request; or freeze the object if nobody is to change it.',
  )
}
