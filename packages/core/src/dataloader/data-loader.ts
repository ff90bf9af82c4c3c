import { type Scope, tryCurrent } from '@heddle/context'
import {
  exposeMembers,
  partitionOf,
  rootOf,
  rootsOfMembers,
  type Values,
  visibleValues,
} from '@heddle/context/engine'

import type { BatchView } from '../batch-view.ts'
import { isEnteredFromBatch } from '../engine.ts'
import type { Item } from '../item.ts'
import type { Batch } from '../types.ts'
import type { Cache } from './cache.ts'
import { Caches } from './caches.ts'
import { Dispatcher } from './dispatcher.ts'
import { forget, retryOthers, usable, watchLoad } from './failures.ts'
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
  promiseOf,
  resolveAcross,
  resolveMaxBatchSize,
} from './options.ts'
import { originOf } from './origins.ts'
import { primed } from './primed.ts'
import { Queues } from './queues.ts'
import { Wave } from './wave.ts'

/**
 * Loads values by their keys: what is asked for in one task becomes one call of the batch function, and
 * a key is loaded once per request. It may be made per request or once, at module level: every
 * request has its own cache, the batch function runs as none of its callers, and keys of different
 * values of a `partition` key share neither batch nor cache.
 *
 * In a batch function, its methods act on the caches of the requests in that batch; in `item.run`, on that of
 * the member. `acrossRequests` lets requests share batches.
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
  /** The name in errors, spans and metrics. */
  readonly #batcher: string
  readonly #batchLoadFn: BatchLoadFn<K, V>
  readonly #cacheKeyFn: ((key: K) => C) | undefined
  readonly #caches: Caches<C, V> | undefined
  readonly #dispatcher: Dispatcher
  readonly #queues: Queues<K, V>
  /** Whether what is being submitted will be in a shared cache. */
  #isForShared = false

  /**
   * @throws TypeError for what is not as described
   * @throws BatcherError `INVALID_OPTION` for a limit in `acrossRequests`
   */
  constructor(batchLoadFn: BatchLoadFn<K, V>, options: DataLoaderOptions<K, V, C> = {}) {
    assertBatchLoadFn(batchLoadFn)
    const { batchScheduleFn, cacheKeyFn, cache, cacheMap = newMap } = options
    const maxBatchSize = resolveMaxBatchSize(options)
    assertFunction('batchScheduleFn', batchScheduleFn)
    assertFunction('cacheKeyFn', cacheKeyFn)
    assertName(options.name)
    this.name = options.name || null
    const name = (this.#batcher = this.name ?? 'DataLoader')
    this.#batchLoadFn = batchLoadFn
    this.#cacheKeyFn = cacheKeyFn
    this.#caches = cache === false || cacheMap === null ? undefined : new Caches(name, cacheMap)
    this.#dispatcher = new Dispatcher(name, batchScheduleFn?.bind(this))
    this.#queues = new Queues({
      name,
      run: (keys, batch) => this.#run(keys, batch),
      maxBatchSize,
      dispatcher: this.#dispatcher,
      acrossRequests: resolveAcross(options),
      // Whoever gets a value from a shared map must have the values that the whole batch could see.
      ...(typeof cacheMap === 'object' && {
        partitionBy: () => (this.#isForShared ? '' : 'own cache'),
      }),
    })
  }

  /**
   * The value of `key`, from the cache of the request if it is there.
   *
   * @throws TypeError at once for a key that is `null` or `undefined`; as a rejection the key's own
   * error, BatcherError, or the reason of an aborted request
   */
  load(key: K): Promise<V> {
    assertKey('load()', key)
    return this.#load(key, false)
  }

  /** @param isOwn - whether nobody else gets it, though the map is for all */
  #load(key: K, isOwn: boolean): Promise<V> {
    const root = rootOf(tryCurrent())
    const isInBatch = rootsOfMembers(root) !== undefined || isEnteredFromBatch()
    const values = this.#values()
    const cache = values && this.#caches?.of(root, values)
    if (cache === undefined) return this.#enqueue(key, values, isInBatch, false).promise
    const cacheKey = this.#cacheKeyOf(key)
    const own = cache.findOwn(cacheKey)
    const remembered = own ?? (isOwn ? undefined : usable(cache.find(cacheKey), cache))
    if (remembered && !(isInBatch && this.#queues.waitsForSlot(originOf(remembered)))) {
      const expose = (): void => void (isInBatch && exposeMembers(root))
      if (own || !cache.isShared) expose()
      // It may be the promise of another request, or of a load in this one if that request has ended early.
      const load = (isForOne: boolean): Promise<V> => this.#load(key, isForOne)
      const retry = cache.isShared ? retryOthers(remembered, { cache, load, expose }) : undefined
      return this.#waveOf(cache, isInBatch).join(remembered, retry)
    }
    const item = this.#enqueue(key, values, isInBatch, cache.isShared)
    // It was refused: the next load may not be.
    if (item.settled) return item.promise
    if (isOwn) cache.putOwn(cacheKey, item.promise)
    else cache.put(cacheKey, item.promise)
    this.#waveOf(cache, isInBatch).newest = item
    if (cache.isShared || isInBatch) watchLoad(item, cache, cacheKey, this.#batcher)
    return item.promise
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

  /** Forgets `key`, in the caches of this request or, in a batch function, of the requests in the batch. */
  clear(key: K): this {
    if (this.#caches === undefined) return this
    const cacheKey = this.#cacheKeyOf(key)
    for (const map of this.#caches.maps(this.#partition())) map.delete(cacheKey)
    return this
  }

  /** Forgets everything that this request has loaded or, in a batch function, the requests in the batch. */
  clearAll(): this {
    for (const map of this.#caches?.maps(undefined) ?? []) map.clear()
    return this
  }

  /**
   * Remembers a value, or an `Error`, for `key` in this request or, in a batch function, in those of the batch,
   * unless there is one already.
   */
  prime(key: K, value: V | PromiseLike<V> | Error): this {
    const values = this.#values()
    const cache = values && this.#caches?.of(rootOf(tryCurrent()), values)
    if (cache === undefined) return this
    const cacheKey = this.#cacheKeyOf(key)
    cache.prime(cacheKey, (isFirst) => primed(value, isFirst, this.#batcher))
    return this
  }

  #enqueue(
    key: K,
    values: Values | undefined,
    isInBatch: boolean,
    isForShared: boolean,
  ): Item<K, V> {
    this.#isForShared = isForShared
    return this.#queues.enqueue(key, values, isInBatch)
  }

  /** What a batch may see of the code that runs now; `undefined` if that does not matter or cannot be read. */
  #values(): Values | undefined {
    if (this.#caches === undefined) return undefined
    try {
      return visibleValues()
    } catch {
      // The engine reads them, too, and rejects what is loaded.
      return undefined
    }
  }

  #partition(): string | undefined {
    const values = this.#values()
    return values && partitionOf(values)
  }

  #waveOf(cache: Cache<C, V>, isInBatch: boolean): Wave {
    const isNested = isInBatch && this.#queues.hasSlots
    const wave = isNested ? cache.nestedWave : cache.wave
    if (wave?.dispatch === this.#dispatcher.dispatches) return wave
    const next = new Wave(this.#dispatcher)
    return isNested ? (cache.nestedWave = next) : (cache.wave = next)
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
  #forget(batch: Batch<K>): void {
    const { members } = batch as BatchView<K, V>
    for (const { input, scope } of members)
      forget(this.#batcher, () => this.#forgetKey(input, scope))
  }

  /** For all values: those of the request may have changed since the key was loaded. */
  #forgetKey(key: K, scope: Scope | undefined): void {
    if (this.#caches === undefined) return
    const cacheKey = this.#cacheKeyOf(key)
    for (const map of this.#caches.mapsOf(rootOf(scope))) map.delete(cacheKey)
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

function newMap<C, V>(): CacheMap<C, Promise<V>> {
  return new Map<C, Promise<V>>()
}

function asValue(error: unknown): Error {
  return error as Error
}
