import { type BatchScope, openBatchScope, runNeutral } from '@heddle/context'
import { clock, leakGuard } from '@heddle/context/engine'

import { BatchView } from './batch-view.ts'
import { activeInstruments, around, type BatchInfo, type Instrument } from './instrument.ts'
import type { Item, Outcome } from './item.ts'
import type { Linked } from './lane.ts'
import type { ResolvedOptions } from './options.ts'
import { Settlement } from './settlement.ts'
import { lastDeadline, waitersOf } from './sharing.ts'
import type { StartReason } from './types.ts'

/** Told of what happens to an execution: the slots, which it is known by in batch scopes, too. */
export interface ExecutionOwner<I, O> {
  readonly options: ResolvedOptions<I, O>
  readonly detectsLeaks: boolean
  settle(item: Item<I, O>, outcome: Outcome<O>): void
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

/** One call of the batch function, from its start until it settles. */
export class Execution<I, O> implements Linked<Execution<I, O>> {
  /** Neighbours in the order in which batches started; for the slots alone. */
  previous: Execution<I, O> | undefined
  next: Execution<I, O> | undefined
  /** What failed batches have left to be run again in this one's slot, the next of it last. */
  rest: Item<I, O>[][] | undefined
  readonly id: string
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
  /** The latest of the members', `undefined` if one has none: nobody needs the batch after it. */
  readonly deadline: number | undefined
  /** ms on the `performance.now()` clock. */
  readonly startedAt: number
  readonly #owner: ExecutionOwner<I, O>
  readonly #settlement: Settlement<I, O>
  /** Members whose callers still wait. */
  #waiting: number
  #controller: AbortController | undefined
  #abortReason: unknown
  #aborted = false
  #close: ((how: End) => void) | undefined

  constructor(
    owner: ExecutionOwner<I, O>,
    id: string,
    items: Item<I, O>[],
    { key, label }: PartitionName,
    reason: StartReason,
    startedAt: number,
  ) {
    this.#owner = owner
    this.#settlement = new Settlement(owner, this)
    this.id = id
    this.items = items
    this.partition = label
    this.partitionKey = key
    this.reason = reason
    this.startedAt = startedAt
    this.deadline = latestDeadline(items)
    this.#waiting = items.length
  }

  /** By which the engine knows its own batches again. */
  get engine(): object {
    return this.#owner
  }

  get size(): number {
    return this.items.length
  }

  get isAborted(): boolean {
    return this.#aborted
  }

  /** What its items cost together. */
  get cost(): number {
    let cost = 0
    for (const item of this.items) cost += item.cost
    return cost
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
      this.#settlement.settleOne(index, outcome.reason as Error)
    } else {
      this.#owner.settle(item, outcome)
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
    this.#close?.('abandoned')
  }

  /** Calls the batch function in a scope of its own. Must be called on neutral ground. */
  run(): void {
    const { name, maxBatchSize } = this.#owner.options
    const view = new BatchView(this, name)
    let scope: BatchScope | undefined
    let results: Promise<readonly (O | Error)[]> | undefined
    const guard = this.#owner.detectsLeaks ? leakGuard(name, this.id) : undefined
    const call = (): Promise<readonly (O | Error)[]> => {
      guard?.check('start')
      results = started(() => this.#owner.options.run(this.items.map(inputOf), view))
      if (guard) {
        guard.check('return')
        const atEnd = (): void => guard.check('end')
        results.then(atEnd, atEnd)
      }
      return results
    }
    try {
      scope = openBatchScope(this.#members(), {
        name: this.id,
        signal: () => this.signal,
        deadline: this.deadline,
        engine: this.engine,
      })
      const instruments = activeInstruments()
      if (instruments.length === 0) void scope.run(call)
      else scope.run(() => this.#instrumented(instruments, maxBatchSize, call))
    } catch (error) {
      results = Promise.reject(error)
    }
    this.#close = (how) => {
      this.#close = undefined
      view.close()
      scope?.close()
      this.#owner.finished(this, how)
      // An error whose stack nobody has read holds what was on it (V8 before Node 26), this among it.
      this.items = []
    }
    // From here on neutral ground again: what the hooks made active is theirs and the batch function's.
    // In one go, so that a caller that goes on finds the slot free.
    void results?.then(
      (values) => {
        if (this.#close === undefined) return
        this.#settlement.settleAll(values)
        this.#close('returned')
      },
      (error: unknown) => {
        if (this.#close === undefined) return
        if (!this.#owner.retries(this)) this.#settlement.failed(error)
        this.#close('threw')
      },
    )
  }

  /** Everybody who waits for it, as it starts. */
  #members(): readonly Item<I, O>[] {
    return this.items.some(isShared) ? this.items.flatMap(waitersOf) : this.items
  }

  #instrumented(
    instruments: readonly Instrument[],
    maxSize: number,
    call: () => Promise<readonly (O | Error)[]>,
  ): void {
    const { id, items, reason, partition, startedAt } = this
    const members = this.#members()
    const info = {
      batcher: this.#owner.options.name,
      id,
      size: items.length,
      maxSize,
      reason,
      partition,
      startedAt,
      endedAt: undefined as number | undefined,
      places: members === items ? undefined : placesOf(items),
    } satisfies BatchInfo
    around(
      instruments,
      info,
      (instrument) => members.map((item) => item.notes[item.instruments.indexOf(instrument)]),
      () =>
        call().then(
          (values) => {
            info.endedAt = clock.now()
            this.#settlement.assertResults(values)
          },
          (error: unknown) => {
            info.endedAt = clock.now()
            throw error
          },
        ),
    )
  }
}

function inputOf<I>(item: Item<I, any>): I {
  return item.input
}

function isShared(item: Item<any, any>): boolean {
  return item.group !== undefined
}

function latestDeadline(items: readonly Item<any, any>[]): number | undefined {
  let latest = 0
  for (const item of items) {
    const deadline = lastDeadline(item)
    if (deadline === undefined) return undefined
    latest = Math.max(latest, deadline)
  }
  return latest
}

/** For each member, the index of its item. */
function placesOf(items: readonly Item<any, any>[]): readonly number[] {
  return items.flatMap((item, index) => waitersOf(item).map(() => index))
}

/** The promise of what `call` returns, rejected if it throws at once. */
function started<T>(call: () => PromiseLike<T> | T): Promise<T> {
  try {
    return Promise.resolve(call())
  } catch (error) {
    // What a batch function throws is its own affair, an Error or not.
    // oxlint-disable-next-line typescript/prefer-promise-reject-errors
    return Promise.reject(error)
  }
}
