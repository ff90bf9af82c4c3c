import type { CacheMap } from './options.ts'

/**
 * The promises of loads, by what a map of the app's gives in their place: a copy, or a thenable. Callers get what
 * the map gives; what the loader knows of a load, it knows of the load's own promise.
 */
const origins = new WeakMap<object, Promise<any>>()

/** Loads in flight, in maps that give another object each time. */
const copied = new WeakMap<object, Map<unknown, Promise<any>>>()

/** Puts the promise of a load into `map`, and notes what the map gives in its place. */
export function store<C, V>(map: CacheMap<C, Promise<V>>, key: C, promise: Promise<V>): void {
  map.set(key, promise)
  if (map.set === Map.prototype.set && map.get === Map.prototype.get) return
  const kept: unknown = map.get(key)
  if (kept === promise || !(kept instanceof Object)) return
  origins.set(kept, promise)
  if (map.get(key) === kept) return
  const loads = copied.get(map) ?? new Map<unknown, Promise<any>>()
  copied.set(map, loads.set(key, promise))
}

/** What `map` gives for `key`; anything that is no promise counts as nothing, as in `dataloader`. */
export function recall<C, V>(map: CacheMap<C, Promise<V>>, key: C): Promise<V> | undefined {
  const kept = map.get(key) || undefined
  const load = copied.get(map)?.get(key)
  if (load && kept instanceof Object && !origins.has(kept)) origins.set(kept, load)
  return kept
}

/** The load has ended, and holds nothing any more. */
export function landed<C>(map: CacheMap<C, Promise<any>>, key: C, promise: Promise<any>): void {
  const loads = copied.get(map)
  if (loads?.get(key) === promise) loads.delete(key)
}

/** The promise of the load that `kept` stands for; itself where it is one, or nobody knows. */
export function originOf<V>(kept: Promise<V>): Promise<V> {
  return origins.get(kept) ?? kept
}

/** A `cacheMap` of the app's may give any thenable. */
export function asPromise<V>(kept: Promise<V>): Promise<V> {
  const promise = Promise.resolve(kept)
  const origin = originOf(kept)
  if (promise !== origin) origins.set(promise, origin)
  return promise
}
