import { type Adoption, registry } from '../registry.ts'
import type { BaseScope } from '../scope.ts'
import type { Scope } from '../types.ts'
import { StoreGuard, storesEnteredHere } from './store-guard.ts'

/** What a batch is called in reports, and whom it works for. */
export interface GuardedBatch {
  readonly name: string
  readonly batcher?: string | undefined
  readonly strictStores?: boolean | undefined
}

interface Member {
  readonly scope?: Scope | undefined
  run?<R>(fn: () => R): R
}

const ADOPT = "`adopt(store, { name, batch: 'partition' })`"

/** For the scope of a batch: asks its members. It must be let go of when the batch has ended. */
export function guardOfBatch(
  { name, batcher = name, strictStores = false }: GuardedBatch,
  members: readonly Member[],
): StoreGuard {
  return new StoreGuard({
    name: `Batch \`${name}\` of batcher \`${batcher}\``,
    topic: batcher,
    isStrict: strictStores || registry.strictStores > 0,
    cureFor: cureInBatch,
    isHidden: (store, isValue, read) =>
      members.some(
        (member) => isValue(member.run?.(read)) || isHiddenFrom(member, store, isValue, read),
      ),
  })
}

/** A member may be a batch itself, or other work in which the store is empty. */
function isHiddenFrom({ scope }: Member, ...question: Parameters<StoreGuard['hides']>): boolean {
  return (scope as BaseScope | undefined)?.owner?.storeGuard?.hides(...question) === true
}

function cureInBatch(adoption: Adoption | undefined): string {
  if (adoption === undefined) {
    return (
      `${ADOPT}, so that the members of a batch have one value; \`item.run(fn)\` for one member; ` +
      'or `watchStore(store, { guard: false })` if it is to be empty there'
    )
  }
  if (adoption.rule === 'same') {
    return "the values of its members differ, so `batch: 'same'` shows none: use `batch: 'partition'`"
  }
  return adoption.enter === undefined
    ? 'its key has `read` and no `enter`: add `enter`, which makes the store’s value for a batch'
    : '`read` gives no value for these requests: give it one, or do not read the store for them'
}

/** For work that `detach` starts now. */
export function guardOfDetached(): StoreGuard {
  return guardOfLater('Work that was started with `detach`', (adoption) => {
    const before = adoption ? '' : `${ADOPT} and `
    return `${before}\`detach(fn, { keep: [key] })\`; or pass the value on in a variable`
  })
}

/** For a callback that is registered with `onClose` now. */
export function guardOfCallback(): StoreGuard {
  return guardOfLater(
    'A callback of `onClose`',
    () => `${ADOPT}, or pass the value on in a variable`,
  )
}

/** It knows which stores had values when it was made, and none of the values. */
function guardOfLater(
  name: string,
  cureFor: (adoption: Adoption | undefined) => string,
): StoreGuard {
  const entered = storesEnteredHere()
  return new StoreGuard({
    name,
    topic: name,
    isStrict: registry.strictStores > 0,
    cureFor,
    isHidden: (store) => entered.has(store),
  })
}
