import { type Adoption, type KeySlot, registry } from '../registry.ts'
import type { BaseScope } from '../scope.ts'
import { noteObject } from './object-streak.ts'

/**
 * The value of an adopted store for the code that runs now: what the store has. Where batches and detached work
 * cannot enter the store, it is what their scope was given.
 *
 * @throws what `read` throws
 */
export function adoptedValue(
  { store, read, enter, index }: Adoption,
  scope: BaseScope | undefined,
): unknown {
  const { quietReads } = registry
  let entered: unknown
  // Counted by hand: this runs for every item.
  quietReads.depth += 1
  try {
    entered = store.getStore()
  } finally {
    quietReads.depth -= 1
  }
  const value = entered === undefined ? undefined : read(entered)
  return value === undefined && enter === undefined ? scope?.peek(index) : value
}

export function isAdoption(key: KeySlot): key is Adoption {
  return 'store' in key
}

/** The values with those of every adopted store, for the code that runs now. */
export function withAdoptedValues(
  values: readonly unknown[],
  scope: BaseScope | undefined,
): readonly unknown[] {
  const all = [...values]
  for (const adoption of registry.adoptions) {
    const value = adoptedValue(adoption, scope)
    noteObject(adoption, value)
    all[adoption.index] = value
  }
  return all
}

/**
 * What is in the adopted stores now, to be entered later. A store whose value cannot be read stays empty
 * there: who needs it reads it, and gets the error.
 */
export function adoptedEntries(scope: BaseScope | undefined): readonly Entry[] {
  const entries: Entry[] = []
  for (const key of registry.adoptions) {
    try {
      const value = adoptedValue(key, scope)
      if (value !== undefined) entries.push({ key, value })
    } catch {}
  }
  return entries
}

/** A key's value, which may be to be in a store while a function runs. */
export interface Entry {
  readonly key: KeySlot
  readonly value: unknown
}

/**
 * Runs `fn` with the values of adopted stores among these in their stores.
 *
 * @throws TypeError for a store whose `run` does not call its function at once
 */
export function enterStores<R>(entries: readonly Entry[], fn: () => R): R {
  let enter = fn
  for (const { key, value } of entries) {
    if (!isAdoption(key)) continue
    const inner = enter
    enter = () => enterStore(key, value, inner)
  }
  return enter()
}

function enterStore<R>({ store, enter, name }: Adoption, value: unknown, fn: () => R): R {
  if (enter === undefined) return fn()
  let result: { readonly value: R } | undefined
  const { quietReads } = registry
  const inside = (): R => {
    quietReads.depth -= 1
    try {
      return (result = { value: fn() }).value
    } finally {
      quietReads.depth += 1
    }
  }
  // On Node `run` reads the store, and that read is not the app's.
  quietReads.depth += 1
  try {
    store.run(enter(value), inside)
  } finally {
    quietReads.depth -= 1
  }
  if (result) return result.value
  throw new TypeError(
    `Expected \`run\` of the adopted store \`${name}\` to call its function at once. ` +
      'Likely cause: it is asynchronous. Cure: adopt an object whose `run` calls the function and returns what it returns.',
  )
}
