import { AsyncLocalStorage } from 'node:async_hooks'

import { type ForeignStore, registry } from '../registry.ts'

export interface WatchStoreOptions {
  /**
   * Whether reads of the store are looked at in development: one that finds the store empty in a batch, where
   * its members have values, is reported.
   *
   * @defaultValue `true` for an AsyncLocalStorage, `false` for stores that an object with `read` reads
   */
  readonly guard?: boolean
}

let unnamed = 0

/**
 * Tells the leak detector of a store that batches must not see, so that a value in it is reported where no
 * request should be visible. Hono's and OpenTelemetry's are told by `@heddle/hono` and `@heddle/otel`. A
 * store that batches are to see by a rule is adopted instead: see `adopt`.
 *
 * @returns a Disposable that removes it
 * @throws TypeError for what is no store
 * @example
 * ```ts
 * watchStore({ name: 'session', read: () => sessionStorage.getStore() })
 * ```
 */
export function watchStore(
  store: ForeignStore | AsyncLocalStorage<unknown>,
  options: WatchStoreOptions = {},
): Disposable {
  const watched = toForeign(store, options.guard)
  registry.foreignStores.add(watched)
  return { [Symbol.dispose]: () => void registry.foreignStores.delete(watched) }
}

function toForeign(
  store: ForeignStore | AsyncLocalStorage<unknown>,
  guard: boolean | undefined,
): ForeignStore {
  if (store instanceof AsyncLocalStorage) {
    const { name } = store as { readonly name?: string }
    unnamed += name ? 0 : 1
    return {
      name: name || `AsyncLocalStorage ${unnamed}`,
      read: () => store.getStore(),
      guard: guard ?? true,
    }
  }
  if (typeof store?.read !== 'function' || typeof store.name !== 'string') {
    throw new TypeError(
      `watchStore(): Expected an AsyncLocalStorage, or an object with \`name\` and \`read\`, got ${store === null ? 'null' : typeof store}`,
    )
  }
  // The same object, which a second registration must not count twice.
  return guard === undefined ? store : { ...store, read: () => store.read(), guard }
}
