import { runNeutral } from './neutral.ts'
import { aFunction, assertOption, assertOptions, type OptionRule } from './options.ts'
import { adoptedValue, enterStores, isAdoption } from './own-stores/adopted-stores.ts'
import { guardOfDetached } from './own-stores/guarded-places.ts'
import { isStoreGuardInstalled } from './own-stores/store-guard.ts'
import { type KeySlot, registry, storage } from './registry.ts'
import { DetachedScope } from './request-scope.ts'
import { runOwned } from './run.ts'
import type { AdoptedKey, ContextKey } from './types.ts'
import { callSite } from './warning.ts'

export interface DetachOptions {
  /** Keys, of adopted stores too, whose values the work takes along. @defaultValue none */
  readonly keep?: readonly (ContextKey<any> | AdoptedKey<any>)[]
}

/**
 * Starts work that outlives the request: it runs in a scope of its own, with the values of
 * `options.keep` as they are now and nothing else of the request, on neutral ground. Neither the
 * request's end nor its abort or deadline ends it; the scope closes when the work has settled.
 *
 * @returns what `fn` returns
 * @throws TypeError for what is no function, or an option that is not as described
 * @throws ContextError `SCOPE_CLOSED` for a key of `options.keep` when the current scope has closed
 * @example
 * ```ts
 * detach(() => sendMail(tenant.get()), { keep: [tenant] })
 * ```
 */
export function detach<R>(fn: () => R, options: DetachOptions = {}): R {
  assertOption('detach', 'fn', fn, aFunction)
  assertOptions('detach', options, RULES)
  const parent = storage.getStore()
  const entries = (options.keep ?? []).flatMap((kept) => {
    // Of an adopted store, what was registered last under this place.
    const key = registry.keys[(kept as unknown as KeySlot).index] as KeySlot
    const value = isAdoption(key) ? adoptedValue(key, parent) : parent?.read(key.index, key.name)
    return value === undefined ? [] : [{ key, value }]
  })
  const scope = new DetachedScope({})
  scope.openedAt = callSite(detach)
  if (isStoreGuardInstalled()) scope.storeGuard = guardOfDetached()
  return runNeutral(() => enterStores(entries, () => runOwned(scope, entries, fn)))
}

const RULES = {
  keep: {
    expected: 'an array of keys',
    holds: (value) => Array.isArray(value) && value.every(isKey),
  },
} satisfies Record<keyof DetachOptions, OptionRule>

/** Keys of another copy of this package count, too. */
function isKey(value: unknown): boolean {
  return typeof (value as Partial<KeySlot> | null)?.index === 'number'
}
