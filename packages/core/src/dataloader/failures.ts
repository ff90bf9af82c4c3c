import { Snapshot } from '@heddle/context'
import { warn } from '@heddle/context/engine'

import type { Item, Rejection } from '../item.ts'
import { isEnding } from '../unobserved.ts'
import type { Cache } from './cache.ts'
import type { Retry } from './follow.ts'
import { originOf } from './origins.ts'

/** Promises of a shared cache that ended because their request did. */
const abandoned = new WeakSet<Promise<unknown>>()

/** Promises that were made with what only their caller has, by the cache of their request alone. */
const exposed = new WeakMap<Promise<unknown>, WeakRef<Cache<any, any>>>()

/**
 * Sees to it that others do not remember how a load of this caller fails, nor what was made for it alone. Its
 * promise is not looked at: its caller is to hear of the rejection, or nobody.
 */
export function watchLoad<C, V>(
  item: Item<any, V>,
  cache: Cache<C, V>,
  key: C,
  batcher: string,
): void {
  const { promise } = item
  item.watch((rejection: Rejection | undefined): void => {
    // What only this caller has cannot be compared, so its request gets the result, and nobody else.
    const isOwn = cache.isShared && item.extras?.isExposed === true
    if (isOwn) exposed.set(promise, new WeakRef(cache))
    // A request that ends early must not leave its end to those that share its cache.
    if (rejection && isEnding(rejection)) abandoned.add(promise)
    // Of one request, an error of the key is remembered; two requests never get the same one.
    const isRemembered =
      rejection === undefined || (rejection.kind === 'item' && cache.others.length === 0)
    if (!isRemembered || isOwn) {
      forget(batcher, () => {
        if (cache.drop(key, promise) && isRemembered) cache.putOwn(key, promise)
      })
    }
    cache.landed(key, promise)
  })
}

/** What a request may get of what its cache gives: a map of the app's may have failed to forget the rest. */
export function usable<C, V>(
  kept: Promise<V> | undefined,
  cache: Cache<C, V>,
): Promise<V> | undefined {
  if (kept === undefined || !cache.isShared) return kept
  const load = originOf(kept)
  return abandoned.has(load) || isOthers(load, cache) ? undefined : kept
}

/** Whether it was made for another caller alone. */
function isOthers(load: Promise<unknown>, cache: Cache<any, any>): boolean {
  const owner = exposed.get(load)
  return owner !== undefined && !(cache.isOfRequest && owner.deref() === cache)
}

/** How to load, in its own context, what somebody waits for that another caller has loaded. */
export interface Reload<C, V> {
  readonly cache: Cache<C, V>
  /** @param isOwn - for this request alone */
  load(isOwn: boolean): Promise<V>
  /** Called where a batch may get what was made for its request alone: nobody else may join its work then. */
  expose(): void
}

/**
 * In the context that it is called in, loads again what another request has not waited for, or what was made with
 * something that only another caller has.
 */
export function retryOthers<C, V>(remembered: Promise<V>, reload: Reload<C, V>): Retry<V> {
  const load = originOf(remembered)
  const snapshot = Snapshot.capture()
  const again = (): Promise<V> | undefined => {
    if (abandoned.has(load)) return snapshot.run(() => reload.load(false))
    if (isOthers(load, reload.cache)) return snapshot.run(() => reload.load(true))
    if (exposed.has(load)) reload.expose()
    return undefined
  }
  return { again, release: () => snapshot.release() }
}

/** Calls `fn`, which may call functions of the app's cache, where nobody is to hear of an error of theirs. */
export function forget(batcher: string, fn: () => void): void {
  try {
    fn()
  } catch (error) {
    warn('CALLBACK_FAILED', batcher, `The cache of \`${batcher}\` threw`, error)
  }
}
