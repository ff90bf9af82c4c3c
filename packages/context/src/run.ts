import { ChildScope } from './child-scope.ts'
import { ContextError, noScope } from './errors.ts'
import { runNeutral } from './neutral.ts'
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
 */
export function run<R>(entries: Iterable<ContextEntry<any>>, fn: () => R): R {
  const child = new ChildScope(storage.getStore())
  writeEntries(child, entries)
  return storage.run(child, fn)
}

/**
 * Runs `fn` in a scope of its own that has no parent: one request. The scope closes when `fn` and the
 * promise it returns, `options.closeWhen` and everything it submitted have settled.
 *
 * @returns what `fn` returns, the same promise if it is one
 * @throws TypeError or RangeError for an option that is not as described
 * @example
 * ```ts
 * await runRequest({ id: 'job-1', timeout: 5_000 }, async (scope) => scope.id) // 'job-1'
 * ```
 */
export function runRequest<R>(options: RequestOptions, fn: (scope: Scope) => R): R {
  const scope = new RequestScope(options)
  // Only in development: an undefined one would take room in every scope.
  const site = callSite(runRequest)
  if (site !== undefined) scope.openedAt = site
  if (options.closeWhen) holdUntil(scope, options.closeWhen)
  return runOwned(scope, options.entries, fn)
}

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
  if (entries) writeEntries(scope, entries)
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

function writeEntries(scope: BaseScope, entries: Iterable<NamedEntry>): void {
  const seen = new Set<object>()
  for (const { key, value } of entries) {
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
