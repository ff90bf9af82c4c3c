import {
  type BatchScope,
  type BatchScopeOptions,
  openBatchScope,
  runNeutral,
} from '@heddle/context'
import { leakGuard } from '@heddle/context/engine'

import { BatchView } from './batch-view.ts'
import { aroundExecution } from './execution-hooks.ts'
import { activeInstruments } from './instrument.ts'
import type { Item, Outcome } from './item.ts'
import type { Linked } from './lane.ts'
import type { ResolvedOptions } from './options.ts'
import type { Settlement } from './settlement.ts'
import { lastDeadline, waitersOf } from './sharing.ts'
import type { Batch, StartReason } from './types.ts'

/** Told of what happens to an execution: the slots, which it is known by in batch scopes, too. */
export interface ExecutionOwner<I, O> {
  readonly options: ResolvedOptions<I, O>
  readonly detectsLeaks: boolean
  readonly settlement: Settlement<I, O>
  /** Nobody waits for it any more, and its function has been told. */
  aborted(execution: Execution<I, O>): void
  /** @returns whether its members are to be run again, apart; else they are rejected */
  retries(execution: Execution<I, O>): boolean
  finished(execution: Execution<I, O>, how: End): void
}

/** Of the partition that the members come from. */
export interface PartitionName {
  readonly key: string
  readonly label: string
}

/** How the batch function ended. */
export type End = 'returned' | 'threw' | 'abandoned'

type Results<O> = Promise<readonly (O | Error)[]>

/** One call of the batch function, from its start until it settles. Its scope and its view read it. */
export class Execution<I, O> implements BatchScopeOptions, Linked<Execution<I, O>> {
  /** Neighbours in the order in which batches started; for the slots alone. */
  previous: Execution<I, O> | undefined
  next: Execution<I, O> | undefined
  /** What failed batches have left to be run again in this one's slot, the next of it last. */
  rest: Item<I, O>[][] | undefined
  /** How many items it has. */
  readonly size: number
  /**
   * One for each input; where a caller leaves who waited with others, another takes its place. None any
   * more once it has finished.
   */
  items: Item<I, O>[]
  /** For people, see `Batch.partition`. */
  readonly partition: string
  /** Differs where the partition does; its label need not. */
  readonly partitionKey: string
  readonly reason: StartReason
  /** What its items cost together. */
  readonly cost: number
  /** The latest of the members', `undefined` if one has none: nobody needs the batch after it. */
  readonly deadline: number | undefined
  /** ms on the `performance.now()` clock. */
  readonly startedAt: number
  readonly #owner: ExecutionOwner<I, O>
  /** Counts the batches of a batcher. */
  readonly #number: number
  #id: string | undefined
  /** Whether an item has several callers. */
  readonly #isShared: boolean
  /** Members whose callers still wait. */
  #waiting: number
  #controller: AbortController | undefined
  #abortReason: unknown
  #aborted = false
  #isRunning = false
  #view: BatchView<I, O> | undefined
  #scope: BatchScope | undefined

  constructor(
    owner: ExecutionOwner<I, O>,
    number: number,
    items: Item<I, O>[],
    { key, label }: PartitionName,
    reason: StartReason,
    startedAt: number,
  ) {
    this.#owner = owner
    this.#number = number
    this.size = items.length
    this.items = items
    this.partition = label
    this.partitionKey = key
    this.reason = reason
    this.startedAt = startedAt
    this.#waiting = items.length
    let cost = 0
    let latest: number | undefined = 0
    let isShared = false
    for (const item of items) {
      cost += item.cost
      if (item.group !== undefined) isShared = true
      const deadline = lastDeadline(item)
      latest =
        latest === undefined || deadline === undefined ? undefined : Math.max(latest, deadline)
      bind(item, this)
    }
    this.cost = cost
    this.deadline = latest
    this.#isShared = isShared
  }

  /** By which the engine knows its own batches again. */
  get engine(): object {
    return this.#owner
  }

  /** For example `users#17`; made when somebody asks for it. */
  get id(): string {
    return (this.#id ??= `${this.batcher}#${this.#number}`)
  }

  /** As its scope is called. */
  get name(): string {
    return this.id
  }

  get batcher(): string {
    return this.#owner.options.name
  }

  get strictStores(): boolean {
    return this.#owner.options.strictStores
  }

  get startTime(): number {
    return this.startedAt
  }

  get isAborted(): boolean {
    return this.#aborted
  }

  /** Made when somebody asks for it, which most batch functions do not. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#aborted) this.#controller.abort(this.#abortReason)
    }
    return this.#controller.signal
  }

  /** A member's caller is gone. The batch goes on for the others, and is aborted with the last. */
  left(reason: unknown): void {
    this.#waiting -= 1
    if (this.#waiting === 0) this.abort(reason)
  }

  /** A member has its outcome though the batch function goes on: it waits no more. */
  settleEarly(index: number, outcome: Outcome<O>): void {
    const item = this.items[index]
    if (item === undefined || item.settled) return
    if (outcome.status === 'rejected' && outcome.kind === 'item') {
      this.#owner.settlement.settleOne(this, index, outcome.reason as Error)
    } else {
      this.#owner.settlement.settle(item, outcome)
    }
    this.left(new DOMException('Every member of this batch has its outcome', 'AbortError'))
  }

  abort(reason: unknown): void {
    if (this.#aborted) return
    this.#aborted = true
    this.#abortReason = reason
    // Whoever aborts it may be a caller, in its own context; what listens to it belongs to the batch.
    runNeutral(() => this.#controller?.abort(reason))
    this.#owner.aborted(this)
  }

  /** Puts `heir`, who waits for the same, into the place of `item`. */
  replace(item: Item<I, O>, heir: Item<I, O>): void {
    const index = this.items.indexOf(item)
    if (index < 0) return
    this.items[index] = heir
    heir.takeSignalOf(item)
  }

  /** It is over, though its function has not settled; whatever that does later is ignored. */
  abandon(): void {
    this.#finish('abandoned')
  }

  /** Calls the batch function in a scope of its own. Must be called on neutral ground. */
  run(): void {
    const { options, settlement } = this.#owner
    this.#isRunning = true
    this.#view = new BatchView(this)
    let results: Results<O> | undefined
    const call = (): Results<O> => (results = this.#call())
    try {
      this.#scope = openBatchScope(this.members, this)
      const instruments = activeInstruments()
      if (instruments.length === 0) void this.#scope.run(call)
      else {
        this.#scope.run(() => aroundExecution(this, instruments, options, settlement, call))
      }
    } catch (error) {
      // What is on its way already counts.
      results ??= Promise.reject(error)
    }
    // From here on neutral ground again: what the hooks made active is theirs and the batch function's.
    // In one go, so that a caller that goes on finds the slot free.
    void results?.then(
      (values) => {
        if (!this.#isRunning) return
        try {
          settlement.settleAll(this, values)
        } finally {
          this.#finish('returned')
        }
      },
      (error: unknown) => {
        if (!this.#isRunning) return
        try {
          if (!this.#owner.retries(this)) settlement.failed(this, error)
        } finally {
          this.#finish('threw')
        }
      },
    )
  }

  #call(): Results<O> {
    const { options, detectsLeaks } = this.#owner
    const guard = detectsLeaks ? leakGuard(options.name, this.id) : undefined
    guard?.check('start')
    const results = this.#start()
    if (guard === undefined) return results
    guard.check('return')
    const atEnd = (): void => guard.check('end')
    results.then(atEnd, atEnd)
    return results
  }

  /** The promise of what the batch function returns, rejected if it throws at once. */
  #start(): Results<O> {
    try {
      const { run } = this.#owner.options
      return Promise.resolve(run(this.items.map(inputOf), this.#view as Batch<I>))
    } catch (error) {
      // What a batch function throws is its own affair, an Error or not.
      // oxlint-disable-next-line typescript/prefer-promise-reject-errors
      return Promise.reject(error)
    }
  }

  #finish(how: End): void {
    if (!this.#isRunning) return
    this.#isRunning = false
    this.#view?.close()
    this.#scope?.close()
    this.#owner.finished(this, how)
    // Its scope and its view may be kept, and an error whose stack nobody has read holds what was on it
    // (V8 before Node 26), this among it.
    this.items = []
    this.rest = undefined
    this.#controller = undefined
    this.#abortReason = undefined
  }

  /** Everybody who waits for it, as it starts. */
  get members(): readonly Item<I, O>[] {
    return this.#isShared ? this.items.flatMap(waitersOf) : this.items
  }
}

function bind<I, O>(item: Item<I, O>, execution: Execution<I, O>): void {
  if (item.group === undefined) item.execution = execution
  else for (const waiter of item.group.members) waiter.execution = execution
}

function inputOf<I>(item: Item<I, any>): I {
  return item.input
}
