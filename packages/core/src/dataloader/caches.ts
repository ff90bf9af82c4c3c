import { type Scope, tryCurrent } from '@heddle/context'
import { partitionOf, visibleValues, warn } from '@heddle/context/engine'

import { assertCacheMap, type CacheMap } from './options.ts'
import type { Wave } from './wave.ts'

/** What a loader remembers for one request, and there for one partition. */
export interface Cache<C, V> {
  readonly map: CacheMap<C, Promise<V>>
  /** Whether other requests have the same map. */
  readonly isShared: boolean
  /** The loads that wait for a dispatch, or did last. */
  wave: Wave | undefined
}

type Source<C, V> = CacheMap<C, Promise<V>> | (() => CacheMap<C, Promise<V>>)

/** The caches of a loader: of each request its own, and one for what happens outside any. */
export class Caches<C, V> {
  readonly #name: string
  readonly #source: Source<C, V>
  /** The only partition that a shared map serves. */
  #sharedPartition: string | undefined
  readonly #outside = new Map<string, Cache<C, V>>()
  readonly #ofRequests = new WeakMap<Scope, Map<string, Cache<C, V>>>()

  /** @throws TypeError for a map that is none */
  constructor(name: string, source: Source<C, V>) {
    if (typeof source !== 'function') assertCacheMap(source)
    this.#name = name
    this.#source = source
  }

  /** That of the code that runs now; `undefined` where nothing may be remembered any more. */
  current(): Cache<C, V> | undefined {
    const scope = tryCurrent()
    if (scope?.state === 'closed') return undefined
    const partition = partitionOf(visibleValues())
    const caches = this.#open(scope)
    let cache = caches.get(partition)
    if (cache === undefined) caches.set(partition, (cache = this.#newCache(partition)))
    return cache
  }

  /** Those of the request that `scope` belongs to, of all its partitions. */
  of(scope: Scope | undefined): Iterable<Cache<C, V>> {
    const caches = scope ? this.#ofRequests.get(rootOf(scope)) : this.#outside
    return caches?.values() ?? []
  }

  #open(scope: Scope | undefined): Map<string, Cache<C, V>> {
    if (scope === undefined) return this.#outside
    const root = rootOf(scope)
    const known = this.#ofRequests.get(root)
    if (known) return known
    const caches = new Map<string, Cache<C, V>>()
    this.#ofRequests.set(root, caches)
    // A closed scope may be held for long, by a timer for example.
    root.onClose(() => this.#ofRequests.delete(root))
    return caches
  }

  #newCache(partition: string): Cache<C, V> {
    const source = this.#source
    if (typeof source === 'function') {
      const map = source()
      assertCacheMap(map)
      return { map, isShared: false, wave: undefined }
    }
    this.#sharedPartition ??= partition
    if (partition === this.#sharedPartition) return { map: source, isShared: true, wave: undefined }
    warn(
      'SHARED_CACHE',
      this.#name,
      `The \`cacheMap\` of \`${this.#name}\` already serves other values of a \`partition\` key, so this request gets a map of its own. ` +
        'Likely cause: one map for requests of several tenants. Cure: give a function that makes a map',
    )
    return { map: new Map<C, Promise<V>>(), isShared: false, wave: undefined }
  }
}

/** Child scopes belong to their request. */
function rootOf(scope: Scope): Scope {
  let root = scope
  while (root.parent) root = root.parent
  return root
}
