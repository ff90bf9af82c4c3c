import { type Scope, tryCurrent } from '@heddle/context'
import {
  areSameValues,
  identityOf,
  partitionOf,
  rootOf,
  rootsOfMembers,
  type Values,
  valuesOfMembers,
  warn,
} from '@heddle/context/engine'

import { Cache } from './cache.ts'
import { assertCacheMap, type CacheMap } from './options.ts'

type Source<C, V> = CacheMap<C, Promise<V>> | (() => CacheMap<C, Promise<V>>)

/** The caches of one request, of one batch, or of everything outside any: one for each set of values. */
interface CachesOfRoot<C, V> {
  readonly byIdentity: Map<string, Cache<C, V>>
  /** Most code asks with the values of the code before it. */
  latest?: { readonly values: Values; readonly cache: Cache<C, V> }
}

/**
 * The caches of a loader. Each answers only code that has the identical values of all keys that a batch may
 * show, since a value may have been made with them (R10).
 *
 * Code in a batch function works for the requests of the batch. For one request, it uses the cache that the
 * request has for the values that the batch sees. For several, the batch has a cache of its own, which hands
 * on what it gets to those of the requests.
 */
export class Caches<C, V> {
  readonly #name: string
  readonly #source: Source<C, V>
  /** The only values that a shared map serves. */
  #shared: { readonly identity: string; readonly partition: string } | undefined
  readonly #outside: CachesOfRoot<C, V> = { byIdentity: new Map() }
  readonly #ofRoots = new WeakMap<Scope, CachesOfRoot<C, V>>()

  /** @throws TypeError for a map that is none */
  constructor(name: string, source: Source<C, V>) {
    if (typeof source !== 'function') assertCacheMap(source)
    this.#name = name
    this.#source = source
  }

  /** The cache of code of this root with these values; `undefined` where nothing may be remembered any more. */
  of(root: Scope | undefined, values: Values): Cache<C, V> | undefined {
    return root?.state === 'closed' ? undefined : this.#find(root, valuesOfMembers(root, values))
  }

  /** @param values - as the requests have them that a batch works for */
  #find(root: Scope | undefined, values: Values): Cache<C, V> | undefined {
    if (root?.state === 'closed') return undefined
    const requests = rootsOfMembers(root)
    if (requests?.size === 1) {
      const [only] = requests
      return this.#find(only, values)
    }
    const caches = this.#open(root)
    const { latest } = caches
    if (latest && areSameValues(latest.values, values)) return latest.cache
    const identity = identityOf(values)
    let cache = caches.byIdentity.get(identity)
    if (cache === undefined) {
      const members = requests && [...requests].map((request) => this.#find(request, values))
      cache = this.#newCache(identity, partitionOf(values), root !== undefined, members)
      caches.byIdentity.set(identity, cache)
    }
    // Outside any request it would be held for good, and the values with it.
    if (root) caches.latest = { values, cache }
    else keepFew(caches.byIdentity)
    return cache
  }

  /**
   * The maps that the code that runs now may forget in: of its request, or of its batch and the requests of the
   * batch. Whoever changes a value may have other values of `same` keys than whoever has loaded it, so all maps of the
   * partition are among them.
   *
   * @param partition - of the values of the code; `undefined` for all, where they cannot be read
   */
  maps(partition: string | undefined): ReadonlySet<CacheMap<C, Promise<V>>> {
    const maps = new Set<CacheMap<C, Promise<V>>>()
    const scope = tryCurrent()
    if (scope?.state === 'closed') return maps
    this.#collect(rootOf(scope), partition, maps)
    if (typeof this.#source === 'function') return maps
    const served = this.#shared?.partition ?? partition
    if (partition === undefined || partition === served) maps.add(this.#source)
    return maps
  }

  /** Those of one request, whatever its values are or were. */
  mapsOf(root: Scope | undefined): Iterable<CacheMap<C, Promise<V>>> {
    const caches = root ? this.#ofRoots.get(root) : this.#outside
    return caches ? [...caches.byIdentity.values()].flatMap(({ maps }) => maps) : []
  }

  #collect(
    root: Scope | undefined,
    partition: string | undefined,
    maps: Set<CacheMap<C, Promise<V>>>,
  ): void {
    const caches = root ? this.#ofRoots.get(root) : this.#outside
    for (const cache of caches?.byIdentity.values() ?? []) {
      if (partition !== undefined && cache.partition !== partition) continue
      for (const map of cache.maps) maps.add(map)
    }
    for (const request of rootsOfMembers(root) ?? []) this.#collect(request, partition, maps)
  }

  #open(root: Scope | undefined): CachesOfRoot<C, V> {
    if (root === undefined) return this.#outside
    const known = this.#ofRoots.get(root)
    if (known) return known
    const caches: CachesOfRoot<C, V> = { byIdentity: new Map() }
    this.#ofRoots.set(root, caches)
    // A closed scope may be held for long, by a timer for example.
    root.onClose(() => this.#ofRoots.delete(root))
    return caches
  }

  #newCache(
    identity: string,
    partition: string,
    isOfRequest: boolean,
    members: readonly (Cache<C, V> | undefined)[] | undefined,
  ): Cache<C, V> {
    const source = this.#source
    if (typeof source === 'function') {
      const map = source()
      assertCacheMap(map)
      return new Cache(map, partition, false, isOfRequest, members)
    }
    this.#shared ??= { identity, partition }
    if (identity === this.#shared.identity) {
      return new Cache(source, partition, true, isOfRequest, members)
    }
    warn(
      'SHARED_CACHE',
      this.#name,
      `The \`cacheMap\` of \`${this.#name}\` already serves other values of a key that batches may show (\`partition\`, \`same\` or merged), ` +
        'so this request gets a map of its own. ' +
        'Likely cause: one map for requests of several tenants or users. Cure: give a function that makes a map',
    )
    return new Cache(new Map<C, Promise<V>>(), partition, false, isOfRequest, members)
  }
}

/** Outside any request nothing ends, and an adopted store may have a new object each time. */
const MOST_OUTSIDE = 1000

function keepFew(caches: Map<string, unknown>): void {
  if (caches.size <= MOST_OUTSIDE) return
  const [oldest] = caches.keys()
  if (oldest !== undefined) caches.delete(oldest)
}
