import { type KeySlot, registry } from './registry.ts'
import type { Values } from './visible-values.ts'

/**
 * The values that decide which items may share a batch, as a string: equal for two callers only if
 * every `partition` key has the identical value in both. `''` where there is none.
 */
export function partitionOf(values: Values): string {
  return identityOfKeys(values, isPartition)
}

/**
 * The values of every key that a batch may show, as a string: equal for two callers only if a batch would see
 * the identical values, whichever of the two it was opened for.
 */
export function identityOf(values: Values): string {
  return identityOfKeys(values, isAny)
}

/** The same as `partitionOf` for people: `app.tenant=acme`. Values of `redact` keys are left out. */
export function partitionLabel(values: Values): string {
  return registry.sharedKeys
    .filter((key) => isPartition(key) && values[key.index] !== undefined)
    .map(({ index, name, redact }) => `${name}=${redact ? '[redacted]' : printed(values[index])}`)
    .join(',')
}

function isPartition({ rule }: KeySlot): boolean {
  return rule === 'partition'
}

function isAny(): boolean {
  return true
}

function identityOfKeys(values: Values, counts: (key: KeySlot) => boolean): string {
  let text = ''
  if (values.length === 0) return text
  for (const key of registry.sharedKeys) {
    const value = values[key.index]
    if (value === undefined || !counts(key)) continue
    const identity = identityOfValue(value)
    // With its length, so that no value can be made to look like two.
    text += `${key.index}:${identity.length}:${identity};`
  }
  return text
}

const objects = new WeakMap<object, number>()
let objectsSeen = 0

function identityOfValue(value: unknown): string {
  if ((typeof value !== 'object' || value === null) && typeof value !== 'function') {
    if (typeof value === 'symbol') return symbolIdentity(value)
    // Zero has two identities, and one text.
    return `${typeof value} ${Object.is(value, -0) ? '-0' : String(value)}`
  }
  let number = objects.get(value)
  if (number === undefined) {
    number = objectsSeen += 1
    objects.set(value, number)
  }
  return `object ${number}`
}

const symbols = new Map<symbol, number>()

function symbolIdentity(value: symbol): string {
  let number = symbols.get(value)
  if (number === undefined) symbols.set(value, (number = symbols.size + 1))
  return `symbol ${number}`
}

function printed(value: unknown): string {
  return typeof value === 'string' ? value : identityOfValue(value)
}
