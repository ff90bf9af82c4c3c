import { runNeutral } from '@heddle/context'
import {
  adaptedFailure,
  asError,
  contextsAreResources,
  listenToAbort,
  Task,
  unlistenToAbort,
} from '@heddle/context/engine'

import type { Execution } from './execution.ts'
import { Extras } from './extras.ts'
import type { HeapEntry } from './heap.ts'
import type { Linked } from './lane.ts'
import type { ResolvedOptions } from './options.ts'
import { PRIORITIES, type Ranked } from './priority.ts'
import type { Partition } from './queue.ts'
import type { Group } from './sharing.ts'
import type { SubmitOptions } from './types.ts'
import { excuse } from './unobserved.ts'

let submitted = 0

/**
 * One submit: the caller's promise and the way back into the caller's context. It waits in a
 * partition, then belongs to an execution, and settles once, possibly before its execution ends.
 */
export class Item<I, O>
  extends Task
  implements EventListenerObject, HeapEntry, Linked<Item<I, O>>, Ranked
{
  // Set in the constructor: an initializer of each would cost every item more. There are thousands of
  // items at a time, so what only some of them have is in `extras`.
  declare readonly input: I
  declare readonly options: SubmitOptions | undefined
  /** The caller's. */
  declare readonly promise: Promise<O>
  /** ms on the `performance.now()` clock. */
  declare readonly submittedAt: number
  declare sequence: number
  /** Index into `PRIORITIES`. */
  declare priority: number
  declare cost: number
  /** ms on the `performance.now()` clock. */
  declare deadline: number | undefined
  declare settled: boolean
  /** While it waits. */
  declare partition: Partition<I, O> | undefined
  declare previous: Item<I, O> | undefined
  declare next: Item<I, O> | undefined
  /** From the start of its batch to the end of the batch function. */
  declare execution: Execution<I, O> | undefined
  /** Its place among the deadlines. */
  declare heapIndex: number
  declare extras: Extras<I, O> | undefined
  declare private readonly owner: ItemOwner<I, O>
  declare private readonly resolve: (value: O) => void
  declare private readonly reject: (reason: unknown) => void

  constructor(
    owner: ItemOwner<I, O>,
    input: I,
    options: SubmitOptions | undefined,
    submittedAt: number,
  ) {
    super('HeddleItem')
    this.owner = owner
    this.input = input
    this.options = options
    this.promise = contextsAreResources ? runNeutral(newPromise<O>) : newPromise<O>()
    this.resolve = takenResolve
    this.reject = takenReject
    this.submittedAt = submittedAt
    this.sequence = submitted += 1
    this.priority = NORMAL
    this.cost = 1
    this.deadline = undefined
    this.settled = false
    this.partition = undefined
    this.previous = undefined
    this.next = undefined
    this.execution = undefined
    this.heapIndex = -1
    this.extras = undefined
  }

  /** Who waits for the same, with `dedupeBy`. */
  get group(): Group<I, O> | undefined {
    return this.extras?.group
  }

  /** Whose turn it takes, with `tenantBy`. */
  get tenant(): string {
    return this.extras?.tenant ?? ''
  }

  get rank(): number {
    const { ageing } = this.owner.options
    return this.extras?.rank ?? this.submittedAt + this.priority * ageing
  }

  /** Its extras, to write to. */
  extend(): Extras<I, O> {
    return (this.extras ??= new Extras())
  }

  /** The caller waits for its own signal and the scope's from here on. */
  listen(): void {
    this.join()
    const signal = this.options?.signal
    if (signal) listenToAbort(signal, this)
  }

  /** The abort event of the caller's own signal; the item is its own listener. */
  handleEvent(): void {
    this.owner.abandon(this, asError(this.options?.signal?.reason))
  }

  override onScopeAbort(reason: Error): void {
    this.owner.abandon(this, adaptedFailure(this.scope, reason))
  }

  /** Why its caller is gone, the scope's reason first. */
  get abortReason(): Error | undefined {
    const ofScope = this.scopeAbortReason
    if (ofScope) return adaptedFailure(this.scope, ofScope)
    const signal = this.options?.signal
    return signal?.aborted ? asError(signal.reason) : undefined
  }

  /** Aborts when the caller is gone; made when somebody asks for it. */
  get signal(): AbortSignal {
    const extras = this.extend()
    if (extras.controller === undefined) {
      extras.controller = new AbortController()
      if (extras.leftFor !== undefined) extras.controller.abort(extras.leftFor)
    }
    return extras.controller.signal
  }

  /** The caller is gone while the batch function runs. */
  leave(reason: unknown): void {
    const extras = this.extend()
    extras.leftFor = reason
    // Whoever aborts it may be a caller, in its own context; what listens to it belongs to the batch.
    if (extras.controller) runNeutral(() => extras.controller?.abort(reason))
    this.execution?.left(reason)
  }

  /** What a batch function listens to outlives the caller whose place this one takes. */
  takeSignalOf({ extras }: Item<I, O>): void {
    this.extend().controller = extras?.controller
    if (extras) extras.controller = undefined
  }

  /** Calls `fn`, which enters the caller's context, and knows until it returns that a batch did so. */
  enter<R>(fn: () => R): R {
    return this.owner.enter(fn)
  }

  /** The batch function sees all of its caller's context, and so may what it makes for the item. */
  expose(): void {
    this.owner.exposed(this)
  }

  /** Nobody has to look at its rejection. */
  excuse(): void {
    excuse(this.promise)
  }

  /** For the engine alone, which keeps the books, as `fail` is. */
  fulfil(value: O): void {
    this.#settle()
    this.resolve(value)
    this.extras?.onSettle?.(undefined)
  }

  fail(rejection: Rejection): void {
    const { reason, kind } = rejection
    this.#settle()
    // The engine's errors are as the request's protocol wants them; an item's own is left alone.
    const isEngines = kind === 'engine' && reason instanceof Error
    this.reject(isEngines ? adaptedFailure(this.scope, reason) : reason)
    this.extras?.onSettle?.(rejection)
  }

  /**
   * Calls `fn` once it has settled, which it has not yet. Unlike a handler of its promise this does not count
   * as looking at a rejection: whoever has the promise must still do that.
   */
  watch(fn: (rejection: Rejection | undefined) => void): void {
    const extras = this.extend()
    const { onSettle: former } = extras
    extras.onSettle = former
      ? (rejection) => {
          former(rejection)
          fn(rejection)
        }
      : fn
  }

  #settle(): void {
    this.settled = true
    const signal = this.options?.signal
    if (signal) unlistenToAbort(signal, this)
  }

  /** Its batch function has settled, or it never ran: nothing of the caller is held any longer. */
  finish(): void {
    this.execution = undefined
    this.release()
    this.emitDestroy()
  }
}

/** Who keeps the books of an item: its engine. */
export interface ItemOwner<I, O> {
  readonly options: Pick<ResolvedOptions<I, O>, 'ageing'>
  /** Its caller has given it up. */
  abandon(item: Item<I, O>, reason: Error): void
  /** Calls `fn`, which enters the context of a caller from a batch. */
  enter<R>(fn: () => R): R
  /** A batch function sees all of the context of a caller. */
  exposed(item: Item<I, O>): void
}

export type Outcome<O> = { readonly status: 'fulfilled'; readonly value: O } | Rejection

export interface Rejection {
  readonly status: 'rejected'
  readonly reason: unknown
  /** Whose doing it was: the batch function's for this item, the caller's, or the engine's. */
  readonly kind: 'item' | 'aborted' | 'engine'
}

const NORMAL = PRIORITIES.indexOf('normal')

// One executor for all promises: it hands its functions over in these, and the constructor takes them
// at once, so that no item costs a closure.
let takenResolve: (value: any) => void
let takenReject: (reason: unknown) => void

function newPromise<O>(): Promise<O> {
  return new Promise<O>(take)
}

function take(resolve: (value: any) => void, reject: (reason: unknown) => void): void {
  takenResolve = resolve
  takenReject = reject
}
