import { Snapshot } from '@heddle/context'
import { warn } from '@heddle/context/engine'

import type { Item, Rejection } from '../item.ts'
import { isEnding } from '../unobserved.ts'
import type { Cache } from './cache.ts'
import type { Retry } from './follow.ts'

/** Promises of a shared cache that ended because their request did. */
const abandoned = new WeakSet<Promise<unknown>>()

/**
 * Sees to it that others do not remember how a load of this caller fails. Its promise is not looked at: its
 * caller is to hear of the rejection, or nobody.
 */
export function forgetFailure<C, V>(
  item: Item<any, V>,
  cache: Cache<C, V>,
  key: C,
  batcher: string,
): void {
  const { promise } = item
  item.watch((rejection: Rejection | undefined): void => {
    if (rejection === undefined) return
    // A request that ends early must not leave its end to those that share its cache.
    if (isEnding(rejection)) abandoned.add(promise)
    // Of one request, an error of the key is remembered; two requests never get the same one.
    const isRemembered = rejection.kind === 'item' && cache.others.length === 0
    if (!isRemembered) forget(batcher, () => cache.drop(key, promise))
  })
}

/** In the context that it is called in, loads again what another request has not waited for. */
export function retryAbandoned<V>(remembered: Promise<V>, load: () => Promise<V>): Retry<V> {
  const snapshot = Snapshot.capture()
  return {
    again: () => (abandoned.has(remembered) ? snapshot.run(load) : undefined),
    release: () => snapshot.release(),
  }
}

/** Calls `fn`, which may call functions of the app's cache, where nobody is to hear of an error of theirs. */
export function forget(batcher: string, fn: () => void): void {
  try {
    fn()
  } catch (error) {
    warn('CALLBACK_FAILED', batcher, `The cache of \`${batcher}\` threw`, error)
  }
}
