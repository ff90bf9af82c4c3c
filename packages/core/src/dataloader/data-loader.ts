import { runNeutral, type Scope, Snapshot, tryCurrent } from '@heddle/context'
import { warn } from '@heddle/context/engine'

import { createEngineBatcher } from '../batcher.ts'
import { isBatcherError } from '../errors.ts'
import type { Batch, Batcher } from '../types.ts'
import { type Cache, Caches } from './caches.ts'
import { Dispatcher } from './dispatcher.ts'
import {
  assertBatchLoadFn,
  assertFunction,
  assertKey,
  assertName,
  type BatchLoadFn,
  type CacheMap,
  type DataLoaderOptions,
  isArrayLike,
  printed,
  resolveMaxBatchSize,
} from './options.ts'
import { Wave } from './wave.ts'

/**
 * Loads values by their keys: what is asked for in one task becomes one call of the batch function, and
 * a key is loaded once per request. It may be made per request or once, at module level: every
 * request has its own cache, the batch function runs as none of its callers, and keys of different
 * values of a `partition` key share neither batch nor cache.
 *
 * @example
 * ```ts
 * const users = new DataLoader((ids: readonly number[]) => findUsers(ids))
 * const user = await users.load(1)
 * ```
 */
export class DataLoader<K, V, C = K> {
  /** As given; `null` without one. */
  name: string | null
  readonly #batchLoadFn: BatchLoadFn<K, V>
  readonly #cacheKeyFn: ((key: K) => C) | undefined
  readonly #caches: Caches<C, V> | undefined
  readonly #dispatcher: Dispatcher
  readonly #newBatcher: () => Batcher<K, V>
  #batcher: Batcher<K, V> | undefined

  /** @throws TypeError for what is not as described */
  constructor(batchLoadFn: BatchLoadFn<K, V>, options: DataLoaderOptions<K, V, C> = {}) {
    assertBatchLoadFn(batchLoadFn)
    const { batchScheduleFn, cacheKeyFn, cache, cacheMap = newMap } = options
    const maxBatchSize = resolveMaxBatchSize(options)
    assertFunction('batchScheduleFn', batchScheduleFn)
    assertFunction('cacheKeyFn', cacheKeyFn)
    assertName(options.name)
    this.name = options.name || null
    const name = this.name ?? 'DataLoader'
    this.#batchLoadFn = batchLoadFn
    this.#cacheKeyFn = cacheKeyFn
    this.#caches = cache === false || cacheMap === null ? undefined : new Caches(name, cacheMap)
    const dispatcher = new Dispatcher(name, batchScheduleFn)
    this.#dispatcher = dispatcher
    this.#newBatcher = () => {
      const run = (keys: readonly K[], batch: Batch<K>): Promise<V[]> => this.#run(keys, batch)
      return createEngineBatcher(
        { ...limits, name, run, maxBatchSize },
        { schedule: dispatcher.next },
      )
    }
  }

  /**
   * The value of `key`, from the cache of the request if it is there.
   *
   * @throws TypeError at once for a key that is `null` or `undefined`; as a rejection the key's own
   * error, BatcherError, or the reason of an aborted request
   */
  load(key: K): Promise<V> {
    assertKey('load()', key)
    const cache = this.#caches?.current()
    if (cache === undefined) return this.#submit(key)
    const cacheKey = this.#cacheKeyOf(key)
    const remembered = cache.map.get(cacheKey)
    if (remembered) return this.#again(key, cache, remembered)
    const promise = this.#submit(key)
    this.#waveOf(cache).newest = promise
    cache.map.set(cacheKey, promise)
    if (cache.isShared) forgetIfAbandoned(promise, cache.map, cacheKey)
    return promise
  }

  /**
   * The values of the keys, in their order, with an `Error` in the place of each that fails.
   *
   * @throws TypeError at once for what is no array, and for a key that is `null` or `undefined`
   */
  loadMany(keys: ArrayLike<K>): Promise<(V | Error)[]> {
    if (!isArrayLike(keys)) {
      throw new TypeError(
        `Expected \`loadMany()\` to be called with an array of keys, got ${printed(keys)}`,
      )
    }
    return Promise.all(Array.from(keys, (key) => this.load(key).catch(asValue)))
  }

  /** Forgets `key`, in the cache of this request. */
  clear(key: K): this {
    this.#caches?.current()?.map.delete(this.#cacheKeyOf(key))
    return this
  }

  /** Forgets everything that this request has loaded. */
  clearAll(): this {
    this.#caches?.current()
    for (const { map } of this.#caches?.of(tryCurrent()) ?? []) map.clear()
    return this
  }

  /** Remembers a value, or an `Error`, for `key` in this request, unless there is one already. */
  prime(key: K, value: V | PromiseLike<V> | Error): this {
    const map = this.#caches?.current()?.map
    if (map === undefined) return this
    const cacheKey = this.#cacheKeyOf(key)
    if (map.get(cacheKey) === undefined)
      map.set(
        cacheKey,
        runNeutral(() => primed(value)),
      )
    return this
  }

  #submit(key: K): Promise<V> {
    // Made when it is needed: a request may have many loaders and use few.
    this.#batcher ??= this.#newBatcher()
    return this.#batcher.submit(key)
  }

  /** A key that is remembered, in the wave of those that are not. */
  #again(key: K, cache: Cache<C, V>, remembered: Promise<V>): Promise<V> {
    const promise = this.#waveOf(cache).join(remembered)
    return cache.isShared ? this.#unlessAbandoned(key, promise, remembered) : promise
  }

  /** The promise of another request, or of a load in this one if that request has ended early. */
  #unlessAbandoned(key: K, promise: Promise<V>, remembered: Promise<V>): Promise<V> {
    const snapshot = Snapshot.capture()
    const again = (error: unknown): Promise<V> => {
      if (abandoned.has(remembered)) return snapshot.run(() => this.load(key))
      throw error
    }
    // A caller may keep it, so it is made on neutral ground as those of the engine are.
    return runNeutral(() => promise.catch(again).finally(() => snapshot.release()))
  }

  #waveOf(cache: Cache<C, V>): Wave {
    const { wave } = cache
    if (wave?.dispatch === this.#dispatcher.dispatches) return wave
    return (cache.wave = new Wave(this.#dispatcher))
  }

  async #run(keys: readonly K[], batch: Batch<K>): Promise<V[]> {
    try {
      const values: unknown = await promiseOf(this.#batchLoadFn(keys, batch))
      // A copy, so that what is read here is what the engine reads.
      const results: unknown = isArrayLike(values) ? Array.from(values) : values
      if (!Array.isArray(results) || results.length !== keys.length) this.#forget(batch)
      // The engine says what is wrong with them.
      return results as V[]
    } catch (error) {
      this.#forget(batch)
      throw error
    }
  }

  /** The whole batch has failed: its keys are to be loaded again when somebody asks for them. */
  #forget({ items, name }: Batch<K>): void {
    for (const { input, scope } of items) {
      try {
        this.#forgetKey(input, scope)
      } catch (error) {
        warn('CALLBACK_FAILED', name, `The cache of \`${name}\` threw`, error)
      }
    }
  }

  /** In all partitions: a key of the request may have changed since it was loaded. */
  #forgetKey(key: K, scope: Scope | undefined): void {
    if (this.#caches === undefined) return
    const cacheKey = this.#cacheKeyOf(key)
    for (const { map } of this.#caches.of(scope)) map.delete(cacheKey)
  }

  #cacheKeyOf(key: K): C {
    // Without a function `C` is `K`.
    return this.#cacheKeyFn ? this.#cacheKeyFn(key) : (key as unknown as C)
  }
}

/** The names that the types of `dataloader` have. */
export declare namespace DataLoader {
  export type { BatchLoadFn, CacheMap, DataLoaderOptions as Options }
}

/** As in `dataloader`: it starts after the promise jobs, and nothing is ever refused. */
const limits = {
  coalesce: 'microtask',
  maxConcurrency: Number.POSITIVE_INFINITY,
  maxQueueSize: Number.POSITIVE_INFINITY,
} as const

/** Promises of a shared cache that ended because their request did. */
const abandoned = new WeakSet<Promise<unknown>>()

/** A request that ends early must not leave its end to others that share its cache. */
function forgetIfAbandoned<C, V>(
  promise: Promise<V>,
  map: CacheMap<C, Promise<V>>,
  cacheKey: C,
): void {
  const scope = tryCurrent()
  if (scope === undefined) return
  const forget = (error: unknown): void => {
    const hasEnded = isBatcherError(error) && error.code === 'DEADLINE_EXCEEDED'
    if (!hasEnded && !scope.signal.aborted) return
    abandoned.add(promise)
    if (map.get(cacheKey) === promise) map.delete(cacheKey)
  }
  void runNeutral(() => promise.catch(forget))
}

function newMap<C, V>(): CacheMap<C, Promise<V>> {
  return new Map<C, Promise<V>>()
}

function promiseOf<T>(value: PromiseLike<T>): PromiseLike<T> {
  if (typeof (value as { then?: unknown } | undefined)?.then === 'function') return value
  throw new TypeError(
    `Expected the batch function to return a promise of an array of values, got ${printed(value)}`,
  )
}

/** The promise of a value that somebody has already; nobody has to look at an error among them. */
function primed<V>(value: V | PromiseLike<V> | Error): Promise<V> {
  if (!(value instanceof Error)) return Promise.resolve(value)
  const promise = Promise.reject<V>(value)
  promise.catch(asValue)
  return promise
}

function asValue(error: unknown): Error {
  return error as Error
}
