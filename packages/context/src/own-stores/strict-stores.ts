import { registry } from '../registry.ts'

/**
 * Makes every read throw a ContextError `IN_BATCH` that finds a store of the app empty though the requests
 * behind it have values in it, in batches (as the option `strictStores` of a batcher does), `detach` and
 * `onClose`, until disposed of. No effect in production.
 *
 * @returns a Disposable that ends it
 * @example
 * ```ts
 * using _ = strictStores()
 * ```
 */
export function strictStores(): Disposable {
  registry.strictStores += 1
  let isOn = true
  return {
    [Symbol.dispose]() {
      if (isOn) registry.strictStores -= 1
      isOn = false
    },
  }
}
