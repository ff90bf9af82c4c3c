import type { BatcherOptions } from '../options.ts'
import type { Batch } from '../types.ts'

/**
 * The batch function: one value per key, in the order of the keys; an `Error` in the place of a value
 * rejects that key alone. It runs on neutral ground, where no request is current; what it needs of its
 * callers it finds in `batch.items`.
 */
export type BatchLoadFn<K, V> = (
  keys: readonly K[],
  batch: Batch<K>,
) => PromiseLike<ArrayLike<V | Error>>

/** What is needed of a cache; a `Map` has it. */
export interface CacheMap<K, V> {
  // What may return nothing is written as in `dataloader`, so that its cache maps fit.
  // oxlint-disable-next-line typescript/no-invalid-void-type
  get(key: K): V | void
  set(key: K, value: V): unknown
  delete(key: K): unknown
  clear(): unknown
}

export interface DataLoaderOptions<K, V, C = K> {
  /**
   * Whether keys are loaded together; `false` is `maxBatchSize: 1`.
   *
   * @defaultValue `true`
   */
  readonly batch?: boolean
  /**
   * The most keys of a batch.
   *
   * @defaultValue Infinity
   */
  readonly maxBatchSize?: number
  /**
   * Calls `callback` when the keys of now are to be loaded. It runs on neutral ground, once for all
   * keys until then. If it throws, they are loaded as by default.
   *
   * @defaultValue after the promise jobs of the current task
   */
  readonly batchScheduleFn?: (callback: () => void) => void
  /**
   * Whether keys of different requests share batches. By default, a batch has what is loaded in one task, as in
   * `dataloader`, so requests rarely meet. With `true`, keys wait for a free slot, as the items of a batcher do:
   * while a batch runs, the keys of all requests gather for the next one. An object sets the limits. Each
   * request keeps its own cache.
   *
   * @defaultValue `false`
   */
  readonly acrossRequests?: boolean | AcrossRequests
  /**
   * Whether a key is remembered, for as long as its request lasts; `false` is `cacheMap: null`.
   *
   * @defaultValue `true`
   */
  readonly cache?: boolean
  /**
   * Makes what a key is remembered by. It must be pure.
   *
   * @defaultValue the key
   */
  readonly cacheKeyFn?: (key: K) => C
  /**
   * Where promises are remembered: a function that makes a map, called once for each request, or `null`
   * for nowhere. A map itself is one for all: whoever loads gets what others have loaded, unless the batch function
   * made it with `item.run`, `item.scope`, one of `item.waiters` or `item.get` of a hidden key. It serves only code that
   * has the identical values of every key that a batch may show (`partition`, `same`, merged) as the first code
   * that used it; all other requests get a map of their own.
   *
   * @defaultValue `() => new Map()`
   */
  readonly cacheMap?: CacheMap<C, Promise<V>> | (() => CacheMap<C, Promise<V>>) | null
  /**
   * Names the loader in spans, metrics and errors.
   *
   * @defaultValue `null`, and `DataLoader` in spans, metrics and errors
   */
  readonly name?: string | null
}

/**
 * How keys of different requests gather for a batch: options of a batcher, with its defaults except for
 * `maxQueueSize`, which is Infinity. A load beyond it is rejected with `QUEUE_FULL` and not remembered. What a
 * batch function loads is not counted and waits for no slot.
 */
export type AcrossRequests = Pick<
  BatcherOptions<never, never>,
  'maxConcurrency' | 'linger' | 'maxWait' | 'maxQueueSize'
>

const ACROSS: readonly string[] = [
  'maxConcurrency',
  'linger',
  'maxWait',
  'maxQueueSize',
] satisfies (keyof AcrossRequests)[]

/** @throws TypeError for what is not as described */
export function resolveAcross({
  acrossRequests = false,
  batchScheduleFn,
  batch,
}: DataLoaderOptions<any, any>): AcrossRequests | undefined {
  if (acrossRequests === false) return undefined
  if (acrossRequests !== true && (typeof acrossRequests !== 'object' || acrossRequests === null)) {
    throw new TypeError(
      `Expected \`acrossRequests\` to be a boolean or an object of limits, got ${printed(acrossRequests)}`,
    )
  }
  if (batchScheduleFn !== undefined) {
    throw new TypeError(
      'Expected `batchScheduleFn` to be undefined with `acrossRequests`, which starts a batch when a slot is free',
    )
  }
  if (batch === false) {
    throw new TypeError('Expected `batch` to be true with `acrossRequests`, got false')
  }
  if (acrossRequests === true) return {}
  const unknown = Object.keys(acrossRequests).find((option) => !ACROSS.includes(option))
  if (unknown === undefined) return acrossRequests
  throw new TypeError(
    `There is no option \`${unknown}\` of \`acrossRequests\`; the options are \`${ACROSS.join('`, `')}\``,
  )
}

export function assertBatchLoadFn(value: unknown): void {
  if (typeof value === 'function') return
  throw new TypeError(
    `Expected \`batchLoadFn\` to be a function that takes an array of keys and returns a promise of an array of values, got ${printed(value)}`,
  )
}

export function assertName(value: unknown): void {
  if (value === undefined || value === null || typeof value === 'string') return
  throw new TypeError(`Expected \`name\` to be a string, got ${printed(value)}`)
}

export function resolveMaxBatchSize({ batch, maxBatchSize }: DataLoaderOptions<any, any>): number {
  if (batch === false) return 1
  if (maxBatchSize === undefined) return Number.POSITIVE_INFINITY
  if (typeof maxBatchSize !== 'number' || !(maxBatchSize >= 1)) {
    throw new TypeError(
      `Expected \`maxBatchSize\` to be a number of at least 1, got ${printed(maxBatchSize)}`,
    )
  }
  return Math.ceil(maxBatchSize)
}

export function assertFunction(option: string, value: unknown): void {
  if (value === undefined || typeof value === 'function') return
  throw new TypeError(`Expected \`${option}\` to be a function, got ${printed(value)}`)
}

/** @throws TypeError naming the methods that are missing */
export function assertCacheMap(value: unknown): void {
  const missing = ['get', 'set', 'delete', 'clear'].filter((method) => {
    return typeof (value as Record<string, unknown> | undefined)?.[method] !== 'function'
  })
  if (missing.length === 0) return
  throw new TypeError(
    `Expected \`cacheMap\` to be a map, or a function that makes one; missing methods: ${missing.join(', ')}`,
  )
}

export function assertKey(method: string, key: unknown): void {
  if (key !== null && key !== undefined) return
  throw new TypeError(`Expected \`${method}\` to be called with a key, got ${printed(key)}`)
}

/** @throws TypeError for what a batch function must not return */
export function promiseOf<T>(value: PromiseLike<T>): PromiseLike<T> {
  if (typeof (value as { then?: unknown } | undefined)?.then === 'function') return value
  throw new TypeError(
    `Expected the batch function to return a promise of an array of values, got ${printed(value)}`,
  )
}

/** What has a length and its last element, as an array of results may have, too. */
export function isArrayLike(value: unknown): value is ArrayLike<unknown> {
  if (typeof value !== 'object' || value === null) return false
  const { length } = value as { length?: unknown }
  return typeof length === 'number' && (length === 0 || (length > 0 && length - 1 in value))
}

export function printed(value: unknown): string {
  return typeof value === 'object' && value !== null ? 'an object' : String(value)
}
