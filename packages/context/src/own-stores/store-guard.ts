import { AsyncLocalStorage } from 'node:async_hooks'

import { ContextError } from '../errors.ts'
import { runNeutral } from '../neutral.ts'
import { type Adoption, registry, storage } from '../registry.ts'
import { isDevelopment, warn } from '../warning.ts'
import { callerOf } from './stack.ts'

type Store = AsyncLocalStorage<unknown>

/** Where work runs that sees no store of the requests it works for, and who knows their values. */
export interface GuardedPlace {
  /** For the report, for example "Batch `users#1` of batcher `users`". */
  readonly name: string
  /** Warnings are given once for each store and each of these. */
  readonly topic: string
  /** Whether a read throws that would be reported. */
  readonly isStrict: boolean
  /** What to do about a store, which may be adopted already. */
  cureFor(adoption: Adoption | undefined): string
  /** Whether one of the requests has a value in the store; `isValue` says of what `read` gives whether it is one. */
  isHidden(store: object, isValue: (value: unknown) => boolean, read: () => unknown): boolean
}

// By this name on the prototype, so that a module that is evaluated again does not patch its own patch.
const ORIGINAL = Symbol.for('@heddle/context/getStore')

interface Prototype {
  getStore: (this: object) => unknown
  [ORIGINAL]?: (this: object) => unknown
}

/**
 * Watches the app's own stores from here on: a read in a batch function that finds a store empty, though the
 * batch's members have values in it, is reported. In development alone; it costs 2 to 18 ns a read.
 */
export function installStoreGuard(): void {
  const prototype = AsyncLocalStorage.prototype as unknown as Prototype
  if (prototype[ORIGINAL] !== undefined || !isDevelopment()) return
  const { getStore } = prototype
  Object.defineProperty(prototype, ORIGINAL, { value: getStore })
  // Ours is read far more often than any other, and never guarded.
  Object.defineProperty(storage, 'getStore', { value: getStore.bind(storage) })
  prototype.getStore = function guardedGetStore(this: object): unknown {
    const store = this as Store
    const value = getStore.call(store)
    const { quietReads } = registry
    if (quietReads.depth > 0) {
      quietReads.stores?.add(store)
      return value
    }
    noteKnown(store)
    const guard = storage.getStore()?.owner?.storeGuard
    if (guard) guard.check(store, value, guardedGetStore)
    return value
  }
}

/** Looks at the reads of one place, once for each store. */
export class StoreGuard {
  readonly #place: GuardedPlace
  /** For each store that was read: whether it is hidden there. */
  readonly #verdicts = new Map<Store, boolean>()

  constructor(place: GuardedPlace) {
    this.#place = place
  }

  /** @param below - the function that the reader has called */
  check(store: Store, value: unknown, below: (...args: any[]) => unknown): void {
    const verdict = this.#verdicts.get(store)
    if (verdict === false) return
    const neutral = quietly(() => runNeutral(() => store.getStore()))
    if (!Object.is(value, neutral)) return
    const isHidden = verdict ?? this.#isReportable(store, neutral)
    this.#verdicts.set(store, isHidden)
    if (!isHidden) return
    const caller = callerOf(below)
    // `run`, `exit` and `enterWith` read the store themselves on Node.
    if (caller.isInternal) return
    // A warning is given once; what throws does so at every read.
    this.#verdicts.set(store, this.#place.isStrict)
    this.#report(store, caller.frame)
  }

  /** Whether requests behind its place have values in the store, which are not to be seen there. */
  hides(...question: Parameters<GuardedPlace['isHidden']>): boolean {
    return this.#place.isHidden(...question)
  }

  #isReportable(store: Store, neutral: unknown): boolean {
    const { topic, isStrict } = this.#place
    if (!isStrict && reported.get(store)?.has(topic)) return false
    try {
      const isHidden = quietly(() =>
        this.#place.isHidden(
          store,
          (found) => isEntered(found, neutral),
          () => store.getStore(),
        ),
      )
      return isHidden && !isLeftAlone(store)
    } catch {
      // A member that can be asked no more. The read itself must go on.
      return false
    }
  }

  #report(store: Store, frame: string): void {
    const { name, topic, isStrict } = this.#place
    const adoption = adoptionOf(store)
    const called = adoption?.name ?? nameOf(store)
    const error = new ContextError(
      'IN_BATCH',
      `${name} read ${called === undefined ? 'an AsyncLocalStorage without a name' : `the store \`${called}\``} ` +
        `${frame === '' ? '' : `${frame} `}and found it empty, though the requests that it works for have values in it. ` +
        'Code that takes an empty store for "no filter" then works on the rows of every tenant. ' +
        `Cure: ${this.#place.cureFor(adoption)}.`,
    )
    if (isStrict) throw error
    const topics = reported.get(store) ?? new Set()
    reported.set(store, topics.add(topic))
    warn(error.code, `${topic} ${called ?? frame}`, error.message, error)
  }
}

/** Not so where nobody has entered the store, not even with a value that neutral ground should not have. */
function isEntered(value: unknown, neutral: unknown): boolean {
  return value !== undefined && !Object.is(value, neutral)
}

const reported = new WeakMap<Store, Set<string>>()

/** Runs `fn`, whose reads are the package's own. */
export function quietly<R>(fn: () => R): R {
  const { quietReads } = registry
  quietReads.depth += 1
  try {
    return fn()
  } finally {
    quietReads.depth -= 1
  }
}

/** Whether somebody has decided that the store is not to be seen, or that its reads are to be let alone. */
function isLeftAlone(store: Store): boolean {
  const rule = adoptionOf(store)?.rule
  if (rule === 'hide' || typeof rule === 'function') return true
  return [...registry.foreignStores].some(
    (foreign) => foreign.guard !== true && storesReadBy(() => foreign.read()).has(store),
  )
}

function adoptionOf(store: Store): Adoption | undefined {
  return registry.adoptions.find(
    (adoption) =>
      adoption.store === store || storesReadBy(() => adoption.store.getStore()).has(store),
  )
}

/** Whether `fn` reads a store that is adopted, so that a batch may have a value in it. */
export function readsAdoptedStore(fn: () => unknown): boolean {
  return [...storesReadBy(fn)].some((store) => {
    const adoption = adoptionOf(store as Store)
    return adoption !== undefined && adoption.rule !== 'hide'
  })
}

/** The stores that `fn` reads: what wraps a store does not say which. */
function storesReadBy(fn: () => unknown): ReadonlySet<object> {
  const { quietReads } = registry
  const outer = quietReads.stores
  const stores = new Set<object>()
  quietReads.stores = stores
  try {
    quietly(fn)
  } catch {
    // What cannot be read here has been read up to there.
  } finally {
    quietReads.stores = outer
  }
  return stores
}

/** Node 24 and later let an AsyncLocalStorage have a name. */
function nameOf(store: Store): string | undefined {
  const { name } = store as { readonly name?: unknown }
  return typeof name === 'string' && name !== '' ? name : undefined
}

/** Whether reads are watched in this process. */
export function isStoreGuardInstalled(): boolean {
  return (AsyncLocalStorage.prototype as unknown as Prototype)[ORIGINAL] !== undefined
}

/** A place that knows no request when a store is read there can ask all that are known for their values before. */
function noteKnown(store: Store): void {
  const { knownStores } = registry
  if (knownStores.seen.has(store)) return
  knownStores.seen.add(store)
  if (knownStores.references.length >= knownStores.limit) {
    knownStores.references = knownStores.references.filter((one) => one.deref() !== undefined)
    knownStores.limit = Math.max(64, 2 * knownStores.references.length)
  }
  knownStores.references.push(new WeakRef(store))
}

/**
 * The stores that have a value here and none on neutral ground: of all that have been read before. It holds
 * no value.
 */
export function storesEnteredHere(): WeakSet<object> {
  const entered = new WeakSet<object>()
  quietly(() => {
    for (const reference of registry.knownStores.references) {
      const store = reference.deref()
      if (
        store &&
        !Object.is(
          store.getStore(),
          runNeutral(() => store.getStore()),
        )
      ) {
        entered.add(store)
      }
    }
  })
  return entered
}
