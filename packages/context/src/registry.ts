import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks'

import type { BaseScope } from './scope.ts'
import type { AdoptableStore, BatchRule, Carry } from './types.ts'

/**
 * What the whole process shares, also between two copies of this package (two versions, ESM beside
 * CJS): with one AsyncLocalStorage each, a scope opened through one copy would be missing in the
 * other, and on Node 22 every further one slows every `await`.
 */
interface Registry {
  /** The one AsyncLocalStorage: the scope of the code that runs now. */
  readonly storage: AsyncLocalStorage<BaseScope | undefined>
  /** Made where no AsyncLocalStorage of anyone had a value, so that re-entering it empties them all. */
  readonly neutral: AsyncResource
  /** A key's index is its place here, and in the slots of every scope; `undefined` where it is collected. */
  readonly keys: (KeySlot | undefined)[]
  /** Keys that a batch may show: those whose batch rule is not `hide`. */
  sharedKeys: KeySlot[]
  /** Keys that a child scope starts without. */
  readonly droppedKeys: KeySlot[]
  /** Keys that may leave the process, by name. */
  readonly carriedKeys: Map<string, KeySlot>
  /** The stores of the app that batches know by a rule. */
  adoptions: Adoption[]
  /** How a tracer writes and reads the trace context of carriers; see `setTracePropagation`. */
  tracePropagation: TracePropagation | undefined
  /** What the leak detector looks at besides ours. */
  readonly foreignStores: Set<ForeignStore>
  /** While `depth` is above 0, reads of stores are the package's own; `stores` notes which are read. */
  readonly quietReads: { depth: number; stores: Set<object> | undefined }
  /** Every store that has been read since the guard was installed, weakly, and how many there may be before a look. */
  readonly knownStores: {
    readonly seen: WeakSet<object>
    references: WeakRef<AsyncLocalStorage<unknown>>[]
    limit: number
  }
  /** How many have asked that every read of a hidden store throws. */
  strictStores: number
}

/**
 * What the process knows of a key. It leads to the key and its functions only weakly: a module that is
 * evaluated again makes its keys anew, and those that nobody has any more can be collected.
 */
export interface KeySlot {
  readonly name: string
  /** Its place in `keys`, and in the slots of every scope. */
  readonly index: number
  readonly rule: BatchRule<any> | WeakRef<MergeRule>
  readonly redact: boolean
  readonly carry: Carry<any> | undefined
  /** Where it was created, as `file:line:column`, if it has `carry` and that is known. */
  readonly site?: string | undefined
}

export type MergeRule = Extract<BatchRule<any>, Function>

/** The function that merges, `undefined` if nobody has the key any more. */
export function mergeOf(rule: MergeRule | WeakRef<MergeRule>): MergeRule | undefined {
  return typeof rule === 'function' ? rule : rule.deref()
}

/** A store of the app, and how its value becomes that of a key and the other way round. */
export interface Adoption extends KeySlot {
  readonly store: AdoptableStore<any>
  readonly read: (store: any) => unknown
  /** `undefined` where the store stays empty in a batch. */
  readonly enter: ((value: any) => unknown) | undefined
}

/** A store of somebody else, as the leak detector sees it. */
export interface ForeignStore {
  /** For the report. */
  readonly name: string
  /** The value where the code runs now. */
  read(): unknown
  /**
   * Whether a value counts as none.
   *
   * @defaultValue `undefined` does
   */
  isEmpty?(value: unknown): boolean
  /** Whether reads of the stores that `read` reads are reported where they are empty. @defaultValue `false` */
  readonly guard?: boolean
}

/** What a tracer knows of carriers. */
export interface TracePropagation {
  /** The trace context of the code that runs now, as a `traceparent`. */
  write(): string | undefined
  /** Runs `fn` in the trace context of `traceparent`. */
  run<R>(traceparent: string, fn: () => R): R
}

// The version belongs to the shape above: a copy with another shape must not share it.
const VERSION = 'v1'
const REGISTRY = Symbol.for(`@heddle/context/registry/${VERSION}`)

const holder = globalThis as { [REGISTRY]?: Registry }

export const registry: Registry = (holder[REGISTRY] ??= {
  storage: new AsyncLocalStorage(),
  neutral: new AsyncResource('HeddleNeutral', { requireManualDestroy: true }),
  keys: [],
  sharedKeys: [],
  droppedKeys: [],
  carriedKeys: new Map(),
  adoptions: [],
  tracePropagation: undefined,
  foreignStores: new Set(),
  quietReads: { depth: 0, stores: undefined },
  knownStores: { seen: new WeakSet(), references: [], limit: 64 },
  strictStores: 0,
})

// Copies that cannot share a registry do not see each other's scopes: better said than found out.
const VERSIONS = Symbol.for('@heddle/context/versions')
const { [VERSIONS]: versions = new Set<string>() } = globalThis as { [VERSIONS]?: Set<string> }
Object.assign(globalThis, { [VERSIONS]: versions.add(VERSION) })
if (versions.size > 1) {
  process.emitWarning(
    `Incompatible versions of @heddle/context are loaded (${[...versions].join(', ')}), so what one opens the other does not see. ` +
      'Likely cause: two packages depend on different majors. Cure: `npm ls @heddle/context`, and update one of them.',
    { type: 'HeddleWarning', code: 'INCOMPATIBLE_COPIES' },
  )
}

/** The AsyncLocalStorage, by a name of its own: it is read on every path. */
export const storage: AsyncLocalStorage<BaseScope | undefined> = registry.storage
