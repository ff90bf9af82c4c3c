/** What a batcher has at this moment. */
export interface BatcherLevels {
  readonly name: string
  /** Items that wait, duplicates included. */
  readonly queued: number
  /** Items that may wait. */
  readonly maxQueueSize: number
  /** Batches that run. */
  readonly inFlight: number
}

interface Registry {
  /** Weak: a batcher that nobody holds any more is none. */
  batchers: WeakRef<{ levels(): BatcherLevels }>[]
  /** As many as there may be before those that are gone are taken out. */
  limit: number
}

// Shared by copies of this package, as the instruments are.
const REGISTRY = Symbol.for('@heddle/core/batchers/v1')
const FEW = 64

const holder = globalThis as { [REGISTRY]?: Registry }

const registry: Registry = (holder[REGISTRY] ??= { batchers: [], limit: FEW })

/** A batcher has been made. */
export function enrol(batcher: { levels(): BatcherLevels }): void {
  const { batchers, limit } = registry
  const alive = batchers.length < limit ? batchers : batchers.filter((one) => one.deref())
  alive.push(new WeakRef(batcher))
  registry.batchers = alive
  // What is looked through stays in proportion to what was added.
  registry.limit = Math.max(FEW, 2 * alive.length)
}

/** What every batcher of the process has at this moment, for instrumentation to observe. */
export function batcherLevels(): readonly BatcherLevels[] {
  return registry.batchers.flatMap((one) => one.deref()?.levels() ?? [])
}
