import { warn } from '@heddle/context/engine'

import type { ItemTiming, StartReason } from './types.ts'

/** What instrumentation learns of an item at its submit. */
export interface SubmittedItem {
  readonly batcher: string
  /** ms on the `performance.now()` clock. */
  readonly submittedAt: number
  /** Items that wait before this one joins. */
  readonly queueSize: number
}

/** What instrumentation learns of a batch when it starts. */
export interface BatchInfo {
  readonly batcher: string
  readonly id: string
  readonly size: number
  readonly maxSize: number
  readonly reason: StartReason
  readonly partition: string
  /** ms on the `performance.now()` clock. */
  readonly startedAt: number
  /**
   * When the batch function settled, ms on the same clock; `undefined` until then. Its callers go on
   * before a hook hears of it, so this is the time to tell.
   */
  readonly endedAt: number | undefined
  /**
   * For each member, the index of the item that it waits for; `undefined` where each has its own.
   */
  readonly places: readonly number[] | undefined
}

/** How far the stream of an item has come. */
export interface StreamProgress {
  /** Chunks that its consumer got, or can get. */
  readonly chunks: number
  /** ms on the `performance.now()` clock; `undefined` where none has come. */
  readonly firstChunkAt: number | undefined
  /** Steps of a continuous batcher that it was part of; `undefined` in other batchers. */
  readonly steps: number | undefined
}

/** What instrumentation learns of an item when its caller gets an answer. */
export interface SettledItem {
  readonly batcher: string
  readonly outcome: 'fulfilled' | 'rejected'
  /** Why it was rejected. */
  readonly error?: unknown
  /** Whose doing the rejection was: the batch function's for this item, the caller's, or the engine's. */
  readonly kind?: 'item' | 'aborted' | 'engine'
  /** ms on the `performance.now()` clock. */
  readonly submittedAt: number
  /** ms on the `performance.now()` clock. */
  readonly settledAt: number
  /** `undefined` for an item that was settled before it ran. */
  readonly timing?: ItemTiming
  /** For an item whose results are a stream. */
  readonly stream?: StreamProgress
}

/**
 * What instrumentation wraps around the life of batches. Hooks run on neutral ground, `onSubmit`
 * apart. One that throws is reported once on the diagnostics channel `heddle:warning` and changes
 * nothing.
 */
export interface BatcherHooks<S = unknown> {
  /**
   * Whether there is anything to observe now; asked at each submit and each start of a batch. While it
   * is false, nothing is made for this instrumentation.
   *
   * @defaultValue always
   */
  enabled?(): boolean
  /** In the caller's context, synchronously: the one hook that may see it. What it returns comes back. */
  onSubmit?(item: SubmittedItem): S
  /**
   * Around the batch function. It must call `next` once before it first waits; what it makes active is
   * active in the batch function. `next` rejects when the batch as a whole has failed.
   *
   * @param members - what `onSubmit` returned for each, in the batch's order; `undefined` for an item
   * that was submitted before this instrumentation
   */
  aroundBatch?(
    batch: BatchInfo,
    members: readonly (S | undefined)[],
    next: () => Promise<void>,
  ): Promise<void>
  /** Before the caller goes on. */
  onSettle?(item: SettledItem, state: S | undefined): void
}

export interface Instrument {
  readonly hooks: BatcherHooks
  /** The hooks that have thrown already. */
  readonly failed: Set<string>
}

interface Registry {
  instruments: readonly Instrument[]
}

// Shared by copies of this package, so that what is turned on once sees every batcher.
const REGISTRY = Symbol.for('@heddle/core/instruments/v1')

const holder = globalThis as { [REGISTRY]?: Registry }

const registry: Registry = (holder[REGISTRY] ??= { instruments: [] })

/**
 * Adds hooks to every batcher of the process, those to come included.
 *
 * @returns what removes them again
 */
export function instrument<S>(hooks: BatcherHooks<S>): Disposable {
  const added: Instrument = { hooks, failed: new Set() }
  registry.instruments = [...registry.instruments, added]
  return {
    [Symbol.dispose]() {
      registry.instruments = registry.instruments.filter((other) => other !== added)
    },
  }
}

/** Those that have something to observe now. */
export function activeInstruments(): readonly Instrument[] {
  const { instruments } = registry
  let enabled = 0
  for (let index = 0; index < instruments.length; index += 1) {
    if (isEnabled(instruments[index] as Instrument)) enabled += 1
  }
  if (enabled === instruments.length) return instruments
  return enabled === 0 ? none : instruments.filter(isEnabled)
}

const none: readonly Instrument[] = []

/** Asked for every item, so nothing is made for it. */
function isEnabled({ hooks, failed }: Instrument): boolean {
  if (hooks.enabled === undefined) return true
  try {
    return hooks.enabled()
  } catch (error) {
    reportHook(failed, 'enabled', error)
    return false
  }
}

/** Calls a hook; what it throws is reported and the caller goes on. */
export function callHook<R>(
  { hooks, failed }: Instrument,
  name: keyof BatcherHooks,
  call: (hooks: BatcherHooks) => R,
): R | undefined {
  try {
    return call(hooks)
  } catch (error) {
    reportHook(failed, name, error)
    return undefined
  }
}

/** Wraps `run` in every instrument's `aroundBatch`; `run` is called once, whatever the hooks do. */
export function around(
  instruments: readonly Instrument[],
  batch: BatchInfo,
  notesOf: (instrument: Instrument) => readonly unknown[],
  run: () => Promise<void>,
): void {
  let next = once(run)
  for (const observer of instruments) {
    const { hooks } = observer
    if (hooks.aroundBatch === undefined) continue
    const inner = next
    next = once(() => {
      let failure: unknown
      const call = async (): Promise<void> => {
        try {
          await inner()
        } catch (error) {
          failure = error
          throw error
        }
      }
      const wrapped = callHook(observer, 'aroundBatch', () =>
        hooks.aroundBatch?.(batch, notesOf(observer), call),
      )
      // A hook that did not call it in time must not hold the batch back.
      const result = inner()
      result.catch(ignore)
      Promise.resolve(wrapped).catch((error: unknown) => {
        if (error !== failure) reportHook(observer.failed, 'aroundBatch', error)
      })
      return result
    })
  }
  next().catch(ignore)
}

function once(run: () => Promise<void>): () => Promise<void> {
  let result: Promise<void> | undefined
  return () => (result ??= run())
}

function reportHook(failed: Set<string>, name: string, error: unknown): void {
  if (failed.has(name)) return
  failed.add(name)
  warn('HOOK_FAILED', name, `A batcher hook threw in \`${name}\`: ${String(error)}`, error)
}

function ignore(): void {
  // The batch's failure reaches its callers; here it only passes by.
}
