import { adoptedTwice, duplicateCarry, inBatch, noStoreValue } from '../errors.ts'
import { type Adoption, registry, storage } from '../registry.ts'
import type { AdoptableStore, AdoptedKey, AdoptOptions } from '../types.ts'
import { warn } from '../warning.ts'
import { assertAdoptOptions } from './adopt-rules.ts'
import { adoptedValue, isAdoption } from './adopted-stores.ts'

/**
 * Gives a store of the app a batch rule: its own AsyncLocalStorage, or anything with `getStore` and `run`. The
 * value of each caller is taken at its submit. In a batch function the store has the value that the rule
 * allows, so code that reads the store works there unchanged.
 *
 * The store may be entered before or after `heddle()`, and in code that has no request at all. Adopting the
 * same store again under its name replaces its rule, as when a module is loaded again.
 *
 * @throws TypeError for a store or an option that is not as described
 * @throws ContextError `DUPLICATE_KEY` for a store that is adopted under another name
 * @example
 * ```ts
 * const currentTenant = new AsyncLocalStorage<string>()
 * adopt(currentTenant, { name: 'app.tenant', batch: 'partition' })
 * ```
 */
export function adopt<S, T = S>(
  store: AdoptableStore<S>,
  options: AdoptOptions<S, T>,
): AdoptedKey<T> {
  assertAdoptOptions(store, options)
  return new StoreKey<T>(register(store, options))
}

function register<S, T>(store: AdoptableStore<S>, options: AdoptOptions<S, T>): Adoption {
  const { name, batch, read, enter, carry, redact = false } = options
  const former = registry.adoptions.find((adoption) => adoption.store === store)
  if (former && former.name !== name) throw adoptedTwice(former.name, name)
  if (former === undefined) warnOfUsedName(name)
  const carried = registry.carriedKeys.get(name)
  if (carry && carried && !isAdoption(carried)) throw duplicateCarry(name, carried.site, undefined)
  const adoption: Adoption = {
    name,
    // A former one has its place already: what waits in queues was captured by it.
    index: former?.index ?? registry.keys.length,
    rule: batch,
    redact,
    carry,
    store,
    read: read ?? itself,
    enter: enter ?? (read === undefined ? itself : undefined),
  }
  registry.keys[adoption.index] = adoption
  registry.adoptions = [...registry.adoptions.filter((other) => other !== former), adoption]
  registry.sharedKeys = registry.sharedKeys.filter((key) => key !== former)
  if (batch !== 'hide') registry.sharedKeys.push(adoption)
  if (carry) registry.carriedKeys.set(name, adoption)
  else if (carried && carried === former) registry.carriedKeys.delete(name)
  return adoption
}

function itself<T>(value: T): T {
  return value
}

function warnOfUsedName(name: string): void {
  if (!registry.adoptions.some((adoption) => adoption.name === name)) return
  warn(
    'DUPLICATE_KEY',
    name,
    `Another store is adopted as \`${name}\` already; both stay adopted. ` +
      'Likely cause: the module that makes the store was loaded again, or two stores were given one name. ' +
      'Cure: none is needed after a hot reload; otherwise give each store a name of its own.',
  )
}

/** Its fields are plain, since another copy of this package may read them. */
class StoreKey<T> implements AdoptedKey<T> {
  readonly name: string
  readonly index: number

  constructor({ name, index }: Adoption) {
    this.name = name
    this.index = index
  }

  get(): T | undefined {
    const adoption = registry.keys[this.index] as Adoption
    return adoptedValue(adoption, storage.getStore()) as T | undefined
  }

  getOrThrow(): T {
    const value = this.get()
    if (value !== undefined) return value
    const batch = storage.getStore()?.batch
    throw batch ? inBatch(this.name, batch.name, batch.size) : noStoreValue(this.name)
  }
}
