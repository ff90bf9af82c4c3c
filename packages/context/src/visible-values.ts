import type { Key } from './key.ts'
import { registry, storage } from './registry.ts'
import { baseOf } from './scope.ts'
import type { ContextKey, Scope } from './types.ts'

/** What a batch may see of one caller: values by key index, as they were when they were taken. */
export type Values = readonly unknown[]

const NONE: Values = []

/**
 * Takes the values of the code that runs now which a key's batch rule may show. A later write to the scope
 * does not change them.
 *
 * @throws ContextError `SCOPE_CLOSED` where a `partition` key could be missing because the scope has closed
 */
export function visibleValues(): Values {
  const { sharedKeys } = registry
  if (sharedKeys.length === 0) return NONE
  const scope = storage.getStore()
  if (scope === undefined) return NONE
  if (scope.owner?.closedAt !== undefined) {
    for (const { rule, name } of sharedKeys) if (rule === 'partition') scope.assertOpen(name)
  }
  return scope.keep()
}

/** Whether a batch may show the key, and the scope has the value of it that was taken. */
export function isAsTaken(key: ContextKey<any>, values: Values, scope: Scope): boolean {
  const { rule, index } = key as Key<unknown>
  return rule !== 'hide' && Object.is(baseOf(scope).peek(index), values[index])
}

/** Whether a batch would see the identical value of every key, whichever of the two it was opened for. */
export function areSameValues(a: Values, b: Values): boolean {
  if (a === b) return true
  for (const { index } of registry.sharedKeys) if (!Object.is(a[index], b[index])) return false
  return true
}
