import { registry } from './registry.ts'
import { baseOf } from './scope.ts'
import type { Scope } from './types.ts'

/**
 * The values that decide which items may share a batch, as a string: equal for two scopes only if
 * every `partition` key has the identical value in both. `''` where there is none.
 */
export function partitionOf(scope: Scope | undefined): string {
  if (scope === undefined || registry.sharedKeys.length === 0) return ''
  const base = baseOf(scope)
  let partition = ''
  for (const key of registry.sharedKeys) {
    const value = key.rule === 'partition' ? base.read(key.index, key.name) : undefined
    if (value === undefined) continue
    const identity = identityOf(value)
    // With its length, so that no value can be made to look like two.
    partition += `${key.index}:${identity.length}:${identity};`
  }
  return partition
}

/** The same for people: `app.tenant=acme`. Values of `redact` keys are left out. */
export function partitionLabel(scope: Scope | undefined): string {
  if (scope === undefined) return ''
  const base = baseOf(scope)
  return registry.sharedKeys
    .filter(({ rule, index, name }) => rule === 'partition' && base.read(index, name) !== undefined)
    .map(({ index, name, redact }) => {
      return `${name}=${redact ? '[redacted]' : printed(base.read(index, name))}`
    })
    .join(',')
}

const objects = new WeakMap<object, number>()
let objectsSeen = 0

function identityOf(value: unknown): string {
  if ((typeof value !== 'object' || value === null) && typeof value !== 'function') {
    return typeof value === 'symbol' ? symbolIdentity(value) : `${typeof value} ${String(value)}`
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
  return typeof value === 'string' ? value : identityOf(value)
}
