import { storage } from '../registry.ts'
import type { BaseScope, OwnerScope } from '../scope.ts'
import { adoptedEntries, enterStores } from './adopted-stores.ts'
import { guardOfCallback } from './guarded-places.ts'
import { isStoreGuardInstalled } from './store-guard.ts'

/**
 * What runs `fn` when `owner` closes, to be called on neutral ground: in this scope, with the adopted stores as
 * they are now.
 */
export function closeCallback(scope: BaseScope, owner: OwnerScope, fn: () => void): () => void {
  const entries = adoptedEntries(storage.getStore())
  const call = (): void => storage.run(scope, () => enterStores(entries, fn))
  if (!isStoreGuardInstalled()) return call
  const guard = guardOfCallback()
  return () => {
    owner.storeGuard = guard
    try {
      call()
    } finally {
      owner.storeGuard = undefined
    }
  }
}
