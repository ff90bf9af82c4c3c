import type { CacheMap } from './options.ts'
import { landed, originOf, recall, store } from './origins.ts'
import type { Wave } from './wave.ts'

/** What a loader remembers for code with one set of values. */
export class Cache<C, V> {
  readonly map: CacheMap<C, Promise<V>>
  readonly partition: string
  /** Whether other requests have the same map. */
  readonly isShared: boolean
  /** Or of a batch: callers outside any request have nothing in common. */
  readonly isOfRequest: boolean
  /** The caches of the requests that the batch works for, if there are several, and of theirs if those are batches. */
  readonly others: readonly Cache<C, V>[]
  /** The loads that wait for a dispatch, or did last. */
  wave: Wave | undefined
  /** Those of batch functions, where they must not wait for loads that wait for a slot. */
  nestedWave: Wave | undefined
  /** One for each request; `undefined` for one that remembers nothing any more. */
  readonly #members: readonly (Cache<C, V> | undefined)[]
  /** What was made for this request alone, though the map is for all; made with the first. */
  #own: Map<C, Promise<V>> | undefined

  constructor(
    map: CacheMap<C, Promise<V>>,
    partition: string,
    isShared: boolean,
    isOfRequest: boolean,
    members: readonly (Cache<C, V> | undefined)[] = NONE,
  ) {
    this.map = map
    this.partition = partition
    this.isShared = isShared
    this.isOfRequest = isOfRequest
    this.#members = members
    const others = members.flatMap((member) => (member ? [member, ...member.others] : []))
    this.others = others.length > 0 ? [...new Set(others)] : NONE
  }

  /**
   * The promise of `key`. A batch of several requests gets what all of them have: one request's own value would
   * reach the others with the results.
   */
  find(key: C): Promise<V> | undefined {
    return this.#own?.get(key) ?? recall(this.map, key) ?? this.#common(key)
  }

  /** The promise of `key`, if it is for this request alone though the map is for all. */
  findOwn(key: C): Promise<V> | undefined {
    return this.#own?.get(key)
  }

  /** Remembers `promise` for this request alone. */
  putOwn(key: C, promise: Promise<V>): void {
    if (this.isOfRequest) (this.#own ??= new Map()).set(key, promise)
  }

  /** Where the promises of this request are. */
  get maps(): readonly CacheMap<C, Promise<V>>[] {
    return this.#own ? [this.map, this.#own] : [this.map]
  }

  /** Remembers `promise` where nothing is remembered yet. */
  put(key: C, promise: Promise<V>): void {
    store(this.map, key, promise)
    for (const other of this.others) if (other.#isFree(key)) store(other.map, key, promise)
  }

  /**
   * Remembers what `make` returns where nothing is remembered yet.
   *
   * @param make - called for each of the caches, with whether it is the first
   */
  prime(key: C, make: (isFirst: boolean) => Promise<V>): void {
    let isFirst = true
    const next = (): Promise<V> => {
      const promise = make(isFirst)
      isFirst = false
      return promise
    }
    for (const other of this.others) other.#add(key, next)
    this.#add(key, next)
  }

  /**
   * Forgets `promise`, unless something else is remembered by now.
   *
   * @returns whether it was remembered
   */
  drop(key: C, promise: Promise<V>): boolean {
    let isFound = false
    for (const map of [this, ...this.others].flatMap(({ maps }) => maps)) {
      const kept = recall(map, key)
      if (kept === undefined || originOf(kept) !== promise) continue
      isFound = true
      map.delete(key)
    }
    return isFound
  }

  /** The load has ended. */
  landed(key: C, promise: Promise<V>): void {
    for (const { map } of [this, ...this.others]) landed(map, key, promise)
  }

  #add(key: C, make: () => Promise<V>): void {
    if (this.#isFree(key)) this.map.set(key, make())
  }

  #isFree(key: C): boolean {
    return !this.#own?.has(key) && this.map.get(key) === undefined
  }

  #common(key: C): Promise<V> | undefined {
    if (this.#members.length === 0) return undefined
    const [first, ...rest] = this.#members.map((member) => member?.find(key))
    const origin = first && originOf(first)
    return rest.every((promise) => (promise && originOf(promise)) === origin) ? first : undefined
  }
}

const NONE: readonly never[] = []
