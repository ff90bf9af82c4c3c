import { type BatchScope, openBatchScope, runNeutral } from '@heddle/context'
import { leakGuard } from '@heddle/context/engine'

import { BatchView } from './batch-view.ts'
import { BatcherError, describe } from './errors.ts'
import { activeInstruments, around, type BatchInfo, type Instrument } from './instrument.ts'
import type { Item, Outcome } from './item.ts'
import type { ResolvedOptions } from './options.ts'
import type { StartReason } from './types.ts'

/** Told of what happens to an execution: the engine. */
export interface ExecutionOwner<I, O> {
  readonly options: ResolvedOptions<I, O>
  readonly detectsLeaks: boolean
  settle(item: Item<I, O>, outcome: Outcome<O>): void
  finished(execution: Execution<I, O>): void
}

/** One call of the batch function, from its start until it settles. */
export class Execution<I, O> {
  readonly id: string
  /** None any more once it has finished. */
  items: readonly Item<I, O>[]
  readonly partition: string
  readonly reason: StartReason
  /** The latest of the members', `undefined` if one has none: nobody needs the batch after it. */
  readonly deadline: number | undefined
  /** ms on the `performance.now()` clock. */
  readonly startedAt: number
  readonly #owner: ExecutionOwner<I, O>
  /** Members whose callers still wait. */
  #waiting: number
  #controller: AbortController | undefined
  #abortReason: unknown
  #aborted = false

  constructor(
    owner: ExecutionOwner<I, O>,
    id: string,
    items: readonly Item<I, O>[],
    partition: string,
    reason: StartReason,
    startedAt: number,
  ) {
    this.#owner = owner
    this.id = id
    this.items = items
    this.partition = partition
    this.reason = reason
    this.startedAt = startedAt
    this.deadline = latestDeadline(items)
    this.#waiting = items.length
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

  abort(reason: unknown): void {
    if (this.#aborted) return
    this.#aborted = true
    this.#abortReason = reason
    // Whoever aborts it may be a caller, in its own context; what listens to it belongs to the batch.
    runNeutral(() => this.#controller?.abort(reason))
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
      scope = openBatchScope(this.items, {
        name: this.id,
        signal: () => this.signal,
        deadline: this.deadline,
        engine: this.#owner,
      })
      const instruments = activeInstruments()
      if (instruments.length === 0) void scope.run(call)
      else scope.run(() => this.#instrumented(instruments, maxBatchSize, call))
    } catch (error) {
      results = Promise.reject(error)
    }
    const finish = (): void => {
      view.close()
      scope?.close()
      this.#owner.finished(this)
      // An error whose stack nobody has read holds what was on it (V8 before Node 26), this among it.
      this.items = []
    }
    // From here on neutral ground again: what the hooks made active is theirs and the batch function's.
    // In one go, so that a caller that goes on finds the slot free.
    void results?.then(
      (values) => {
        this.#settleAll(values)
        finish()
      },
      (error: unknown) => {
        this.#failed(error)
        finish()
      },
    )
  }

  #instrumented(
    instruments: readonly Instrument[],
    maxSize: number,
    call: () => Promise<readonly (O | Error)[]>,
  ): void {
    const { id, items, reason, partition, startedAt } = this
    const info: BatchInfo = {
      batcher: this.#owner.options.name,
      id,
      size: items.length,
      maxSize,
      reason,
      partition,
      startedAt,
    }
    around(
      instruments,
      info,
      (instrument) => items.map((item) => item.notes[item.instruments.indexOf(instrument)]),
      () => call().then((values) => this.#assertResults(values)),
    )
  }

  #settleAll(values: readonly (O | Error)[]): void {
    try {
      const mismatch = this.#mismatch(values)
      if (mismatch) this.#failAll('RESULT_MISMATCH', mismatch)
      else this.#settleEach(values)
    } catch (error) {
      // The results are the user's, so even reading them may throw.
      this.#failed(error)
    }
  }

  #settleEach(values: readonly (O | Error)[]): void {
    for (const [index, item] of this.items.entries()) {
      if (item.settled) continue
      const value = values[index]
      if (value instanceof Error) {
        const reason = this.#distinct(value)
        this.#owner.settle(item, {
          status: 'rejected',
          reason,
          kind: reason === value ? 'item' : 'engine',
        })
      } else {
        // Its length has been checked, so the place is there, though it may hold `undefined`.
        this.#owner.settle(item, { status: 'fulfilled', value: value as O })
      }
    }
  }

  #failed(error: unknown): void {
    this.#failAll('BATCH_FAILED', `The batch function failed: ${describe(error)}`, error)
  }

  #failAll(code: 'RESULT_MISMATCH' | 'BATCH_FAILED', message: string, cause?: unknown): void {
    for (const item of this.items) {
      if (item.settled) continue
      // One error for each: a caller may change its own, and must not find another's stack in it.
      const reason = this.#error(code, message, cause)
      this.#owner.settle(item, { status: 'rejected', reason, kind: 'engine' })
    }
  }

  #mismatch(values: unknown): string | undefined {
    const expected = `Expected the batch function to return one result per input: ${this.items.length}`
    if (!Array.isArray(values)) return `${expected}, got no array but ${typeof values}`
    return values.length === this.items.length ? undefined : `${expected}, got ${values.length}`
  }

  #assertResults(values: unknown): void {
    const mismatch = this.#mismatch(values)
    if (mismatch) throw this.#error('RESULT_MISMATCH', mismatch)
  }

  /** The first caller gets the batch function's own error object, later ones another with it as the cause. */
  #distinct(error: Error): Error {
    if (!delivered.has(error)) {
      delivered.add(error)
      return error
    }
    return this.#error('BATCH_FAILED', `This item failed as others did: ${describe(error)}`, error)
  }

  #error(code: 'RESULT_MISMATCH' | 'BATCH_FAILED', message: string, cause?: unknown): BatcherError {
    const { name } = this.#owner.options
    return new BatcherError(
      code,
      name,
      `Batcher \`${name}\`: ${message}`,
      cause === undefined ? {} : { cause },
    )
  }
}

/** Errors that some caller has been given. */
const delivered = new WeakSet<Error>()

function inputOf<I>(item: Item<I, any>): I {
  return item.input
}

function latestDeadline(items: readonly Item<any, any>[]): number | undefined {
  let latest = 0
  for (const { deadline } of items) {
    if (deadline === undefined) return undefined
    latest = Math.max(latest, deadline)
  }
  return latest
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
