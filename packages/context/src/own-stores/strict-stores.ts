import { registry } from '../registry.ts'

/**
 * Lets every read throw that finds a store of the app empty in a batch whose members have values in it, as the
 * option `strictStores` of a batcher does. It also holds for `detach` and `onClose`.
 *
 * @returns what ends it
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
