import { ErrorBoundary } from '@heddle/context/engine'

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
 * apart. One that throws, or whose promise rejects, is reported once on the diagnostics channel
 * `heddle:warning` and changes nothing. A hook is not told of what it submits itself before it returns.
 */
export interface BatcherHooks<S = unknown> {
  /** Whose hooks these are, for the report of one that throws. */
  readonly name?: string
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
  readonly boundary: ErrorBoundary
  /** One of its hooks is on the stack. If the hook submits, it would call itself for ever. */
  isCalled: boolean
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
 * @returns a Disposable that removes them
 * @throws TypeError if `hooks` is no object
 */
export function instrument<S>(hooks: BatcherHooks<S>): Disposable {
  if ((typeof hooks !== 'object' || hooks === null) && typeof hooks !== 'function') {
    const got = hooks === null ? 'null' : typeof hooks
    throw new TypeError(
      `instrument(): Expected an object of hooks, got ${got}. ` +
        'Cure: pass one with `onSubmit`, `aroundBatch` or `onSettle`.',
    )
  }
  const boundary = new ErrorBoundary(nameOf(hooks))
  const added: Instrument = { hooks, boundary, isCalled: false }
  registry.instruments = [...registry.instruments, added]
  return {
    [Symbol.dispose]() {
      registry.instruments = registry.instruments.filter((other) => other !== added)
    },
  }
}

/** Hooks may be behind a getter or a proxy that throws. */
function nameOf(hooks: BatcherHooks<any>): string | undefined {
  const name = new ErrorBoundary(undefined).run('name', () => hooks.name)
  return typeof name === 'string' && name !== '' ? name : undefined
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

function isEnabled(observer: Instrument): boolean {
  if (observer.isCalled) return false
  return Boolean(callHook(observer, 'enabled', askWhetherEnabled))
}

// One function for all, since it is asked for every item.
function askWhetherEnabled(hooks: BatcherHooks): boolean {
  return hooks.enabled === undefined ? true : hooks.enabled()
}

/** Calls a hook that returns at once; what it throws is reported and the caller goes on. */
export function callHook<R>(
  observer: Instrument,
  name: keyof BatcherHooks,
  call: (hooks: BatcherHooks) => R,
): R | undefined {
  // A hook that ends another item calls a second one of its own instrument.
  const { isCalled } = observer
  observer.isCalled = true
  const result = observer.boundary.run(name, call, observer.hooks)
  observer.isCalled = isCalled
  return result
}

/** Wraps `run` in every instrument's `aroundBatch`; `run` is called once, whatever the hooks do. */
export function around(
  instruments: readonly Instrument[],
  batch: BatchInfo,
  notesOf: (instrument: Instrument) => readonly unknown[],
  run: () => Promise<void>,
): void {
  let next = run
  for (const observer of instruments) {
    const { hooks, boundary } = observer
    const inner = next
    next = () =>
      boundary.enter(
        'aroundBatch',
        (call) => hooks.aroundBatch?.(batch, notesOf(observer), call),
        inner,
      )
  }
  next().catch(ignore)
}

function ignore(): void {
  // The batch's failure reaches its callers; here it only passes by.
}
