import { ChildScope } from './child-scope.ts'
import { ContextError, noScope } from './errors.ts'
import { runNeutral } from './neutral.ts'
import {
  aFunction,
  anAbortSignal,
  aPositiveTime,
  assertOption,
  assertOptions,
  aText,
  type OptionRule,
} from './options.ts'
import { type KeySlot, storage } from './registry.ts'
import { RequestScope } from './request-scope.ts'
import type { BaseScope } from './scope.ts'
import type { ContextEntry, RequestOptions, Scope } from './types.ts'
import { callSite } from './warning.ts'

/**
 * The scope of the code that runs now.
 *
 * @throws ContextError `NO_SCOPE`
 */
export function current(): Scope {
  const scope = storage.getStore()
  if (scope === undefined) throw noScope('the current scope')
  return scope
}

/** The scope of the code that runs now, `undefined` outside any. */
export function tryCurrent(): Scope | undefined {
  return storage.getStore()
}

/**
 * Runs `fn` in a child scope that has these values besides its parent's. Works without a parent, too.
 *
 * @throws ContextError `DUPLICATE_KEY` when a key stands in `entries` twice
 * @throws TypeError for what is no entry, or no function
 */
export function run<R>(entries: Iterable<ContextEntry<any>>, fn: () => R): R {
  assertOption('run', 'entries', entries, someEntries)
  assertOption('run', 'fn', fn, aFunction)
  const child = new ChildScope(storage.getStore())
  writeEntries('run', child, entries)
  return storage.run(child, fn)
}

/**
 * Runs `fn` in a scope of its own that has no parent: one request. The scope closes when `fn` and the
 * promise it returns, `options.closeWhen` and everything it submitted have settled.
 *
 * @returns what `fn` returns, the same promise if it is one
 * @throws TypeError for an option that is not as described, or that there is not
 * @example
 * ```ts
 * await runRequest({ id: 'job-1', timeout: 5_000 }, async (scope) => scope.id) // 'job-1'
 * ```
 */
export function runRequest<R>(options: RequestOptions, fn: (scope: Scope) => R): R {
  assertOptions('runRequest', options, RULES)
  assertOption('runRequest', 'fn', fn, aFunction)
  const scope = new RequestScope(options)
  // Only in development: an undefined one would take room in every scope.
  const site = callSite(runRequest)
  if (site !== undefined) scope.openedAt = site
  if (options.closeWhen) holdUntil(scope, options.closeWhen)
  return runOwned(scope, options.entries, fn)
}

const someEntries: OptionRule = {
  expected: 'an iterable of entries, as `key.of(value)` makes them',
  holds: (value) =>
    typeof value === 'object' &&
    value !== null &&
    Symbol.iterator in value &&
    typeof value[Symbol.iterator] === 'function',
}

const RULES = {
  id: aText,
  entries: someEntries,
  signal: anAbortSignal,
  timeout: aPositiveTime,
  closeWhen: {
    expected: 'a promise',
    holds: (value) =>
      typeof value === 'object' &&
      value !== null &&
      'then' in value &&
      typeof value.then === 'function',
  },
} satisfies Record<keyof RequestOptions, OptionRule>

function holdUntil(scope: RequestScope, settled: PromiseLike<unknown>): void {
  scope.hold()
  const letGo = (): void => scope.letGo()
  void runNeutral(() => Promise.resolve(settled).then(letGo, letGo))
}

/** Runs `fn` in `scope`, with these values, and tells the scope when it has settled. */
export function runOwned<R>(
  scope: RequestScope,
  entries: Iterable<NamedEntry> | undefined,
  fn: (scope: Scope) => R,
): R {
  if (entries) writeEntries('runRequest', scope, entries)
  let result: R
  try {
    result = storage.run(scope, fn, scope)
  } catch (error) {
    scope.end()
    throw error
  }
  // Only native promises are waited for: calling `then` of anything else might start its work again.
  if (result instanceof Promise) {
    const end = (): void => scope.end()
    result.then(end, end)
  } else {
    scope.end()
  }
  return result
}

/** Runs `fn` in `scope`; whoever opened the scope ends it. */
export function runIn<R>(scope: RequestScope, fn: () => R): R {
  return storage.run(scope, fn)
}

/** An entry of any kind of key. */
interface NamedEntry {
  readonly key: { readonly name: string }
  readonly value: unknown
}

function writeEntries(caller: string, scope: BaseScope, entries: Iterable<NamedEntry>): void {
  const seen = new Set<object>()
  for (const entry of entries) {
    assertOption(caller, 'entries', entry, anEntry)
    const { key, value } = entry
    if (seen.has(key)) {
      throw new ContextError(
        'DUPLICATE_KEY',
        `Expected each key once in \`entries\`, got \`${key.name}\` twice`,
      )
    }
    seen.add(key)
    scope.write((key as KeySlot).index, key.name, value)
  }
}

/** Keys of another copy of this package count, too. */
const anEntry: OptionRule = {
  expected: 'entries, as `key.of(value)` makes them',
  holds: (value) =>
    typeof (value as Partial<ContextEntry<unknown>> | null)?.key === 'object' &&
    typeof (value as { readonly key: { readonly index?: unknown } | null }).key?.index === 'number',
}
