import type { CacheMap } from './options.ts'
import type { Wave } from './wave.ts'

/** What a loader remembers for code with one set of values. */
export class Cache<C, V> {
  readonly map: CacheMap<C, Promise<V>>
  readonly partition: string
  /** Whether other requests have the same map. */
  readonly isShared: boolean
  /** The caches of the requests that the batch works for, if there are several, and of theirs if those are batches. */
  readonly others: readonly Cache<C, V>[]
  /** The loads that wait for a dispatch, or did last. */
  wave: Wave | undefined
  /** Those of batch functions, where they must not wait for loads that wait for a slot. */
  nestedWave: Wave | undefined
  /** One for each request; `undefined` for one that remembers nothing any more. */
  readonly #members: readonly (Cache<C, V> | undefined)[]

  constructor(
    map: CacheMap<C, Promise<V>>,
    partition: string,
    isShared: boolean,
    members: readonly (Cache<C, V> | undefined)[] = NONE,
  ) {
    this.map = map
    this.partition = partition
    this.isShared = isShared
    this.#members = members
    const others = members.flatMap((member) => (member ? [member, ...member.others] : []))
    this.others = others.length > 0 ? [...new Set(others)] : NONE
  }

  /**
   * The promise of `key`. A batch of several requests gets what all of them have: one request's own value would
   * reach the others with the results.
   */
  find(key: C): Promise<V> | undefined {
    // What is no promise counts as nothing, as in `dataloader`.
    return this.map.get(key) || this.#common(key)
  }

  /** Remembers `promise` where nothing is remembered yet. */
  put(key: C, promise: Promise<V>): void {
    this.map.set(key, promise)
    for (const other of this.others) other.#add(key, () => promise)
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

  /** Forgets `promise`, unless something else is remembered by now. */
  drop(key: C, promise: Promise<V>): void {
    for (const { map } of [this, ...this.others]) if (map.get(key) === promise) map.delete(key)
  }

  #add(key: C, make: () => Promise<V>): void {
    if (this.map.get(key) === undefined) this.map.set(key, make())
  }

  #common(key: C): Promise<V> | undefined {
    if (this.#members.length === 0) return undefined
    const [first, ...rest] = this.#members.map((member) => member?.find(key))
    return rest.every((promise) => promise === first) ? first : undefined
  }
}

const NONE: readonly never[] = []
