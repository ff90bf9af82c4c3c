import { isAdoption, withAdoptedValues } from './own-stores/adopted-stores.ts'
import { type KeySlot, registry, storage } from './registry.ts'
import { baseOf } from './scope.ts'
import type { AdoptedKey, ContextKey, Scope } from './types.ts'

/** What a batch may see of one caller: values by key index, as they were when they were taken. */
export type Values = readonly unknown[]

const NONE: Values = []

/**
 * Takes the values of the code that runs now which a key's batch rule may show. A later write to the scope
 * does not change them.
 *
 * @throws ContextError `SCOPE_CLOSED` where a `partition` key could be missing because the scope has closed
 * @throws what `read` of an adopted store throws
 */
export function visibleValues(): Values {
  const { sharedKeys, adoptions } = registry
  if (sharedKeys.length === 0 && adoptions.length === 0) return NONE
  const scope = storage.getStore()
  if (scope?.owner?.closedAt !== undefined) {
    for (const key of sharedKeys) {
      // In production, too: in a batch without the value, a filter by it would let everything pass.
      if (key.rule === 'partition' && !isAdoption(key)) throw scope.closedError(key.name)
    }
  }
  const values = scope === undefined ? NONE : scope.keep()
  return adoptions.length === 0 ? values : withAdoptedValues(values, scope)
}

/** Whether a batch would see the identical value of every key, whichever of the two it was opened for. */
export function areSameValues(a: Values, b: Values): boolean {
  if (a === b) return true
  for (const { index } of registry.sharedKeys) if (!Object.is(a[index], b[index])) return false
  return true
}

/** What was taken of a caller at its submit. */
interface Caller {
  readonly scope?: Scope | undefined
  readonly values?: Values | undefined
}

/** The value of a key for one caller: of an adopted store as it was at the submit, else as its scope has it. */
export function valueFor<T>(
  { scope, values }: Caller,
  key: ContextKey<T> | AdoptedKey<T>,
): T | undefined {
  const slot = registry.keys[(key as unknown as KeySlot).index] as KeySlot
  return isAdoption(slot) && values
    ? (values[slot.index] as T | undefined)
    : scope?.get(key as ContextKey<T>)
}

/** Whether a batch may show the key, and `valueFor` gives what a batch was shown of this caller. */
export function isAsTaken(
  { scope, values }: Caller,
  key: ContextKey<any> | AdoptedKey<any>,
): boolean {
  const slot = registry.keys[(key as unknown as KeySlot).index] as KeySlot
  if (slot.rule === 'hide' || values === undefined) return false
  if (isAdoption(slot)) return true
  return Object.is(scope && baseOf(scope).peek(slot.index), values[slot.index])
}
