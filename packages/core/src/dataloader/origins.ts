import type { CacheMap } from './options.ts'

/** The promises of loads, by what the maps of apps have made of them: a copy, or a thenable. */
const origins = new WeakMap<object, Promise<any>>()

/** Puts `promise` into `map`, and notes what the map keeps in its place. */
export function store<C, V>(map: CacheMap<C, Promise<V>>, key: C, promise: Promise<V>): void {
  map.set(key, promise)
  if (map.set === Map.prototype.set && map.get === Map.prototype.get) return
  const kept: unknown = map.get(key)
  if (kept !== promise && kept instanceof Object) origins.set(kept, promise)
}

/** The promise that was put into a map, by what the map returns; the same where nobody knows it. */
export function originOf<T>(kept: T): T {
  return kept instanceof Object ? ((origins.get(kept) as T | undefined) ?? kept) : kept
}
