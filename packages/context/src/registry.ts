import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks'

import type { Key } from './key.ts'
import type { BaseScope } from './scope.ts'

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
  /** Keys that a batch may show: those whose batch rule is not `hide`. */
  readonly sharedKeys: Key<unknown>[]
  nextKeyIndex: number
}

// The version belongs to the shape above: a copy with another shape must not share it.
const REGISTRY = Symbol.for('@heddle/context/registry/v1')

const holder = globalThis as { [REGISTRY]?: Registry }

export const registry: Registry = (holder[REGISTRY] ??= {
  storage: new AsyncLocalStorage(),
  neutral: new AsyncResource('HeddleNeutral', { requireManualDestroy: true }),
  sharedKeys: [],
  nextKeyIndex: 0,
})

/** The AsyncLocalStorage, by a name of its own: it is read on every path. */
export const storage: AsyncLocalStorage<BaseScope | undefined> = registry.storage
