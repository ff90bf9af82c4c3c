import { openBatchScope, runNeutral } from '@heddle/context'
import { clock, leakGuard } from '@heddle/context/engine'

import { BatcherError, describe } from '../errors.ts'
import { afterPromises } from '../scheduler.ts'
import type { ContinuousBatcherOptions, Step } from './continuous-options.ts'
import type { Seat, SeatOwner } from './seat.ts'
import { type Progress, progressOf } from './step-results.ts'

export interface StepperOptions<I, S, C> {
  readonly name: string
  readonly strictStores: boolean | undefined
  readonly step: ContinuousBatcherOptions<I, S, C>['step']
  /** By which the engine knows its own batches again. */
  readonly engine: object | undefined
  readonly detectsLeaks: boolean
  /** A name for the scope of the next step. */
  readonly nextId: () => string
  /** Nobody is active any more. */
  readonly onEmpty: () => void
}

/**
 * Takes the active items of a partition through its steps, one at a time. Between two steps an event loop
 * turn passes, in which who is done leaves and who has waited for the place joins.
 */
export class Stepper<I, S, C> implements SeatOwner<I, S, C> {
  readonly #options: StepperOptions<I, S, C>
  readonly #seats = new Set<Seat<I, S, C>>()
  #running: RunningStep | undefined
  #turnRequested = false

  constructor(options: StepperOptions<I, S, C>) {
    this.#options = options
  }

  join(seat: Seat<I, S, C>): void {
    this.#seats.add(seat)
    this.ready()
  }

  left(reason: unknown): void {
    this.#running?.left(reason)
  }

  vacated(seat: Seat<I, S, C>): void {
    this.#seats.delete(seat)
    if (this.#seats.size === 0) this.#options.onEmpty()
  }

  ready(): void {
    if (this.#turnRequested || this.#running !== undefined || this.#seats.size === 0) return
    this.#turnRequested = true
    runNeutral(this.#requestTurn)
  }

  /** After the promise jobs by which the engine learns of a free slot: whoever gets it is then in time. */
  readonly #requestTurn = (): void => afterPromises(() => clock.setImmediate(this.#turn))

  readonly #turn = (): void => {
    this.#turnRequested = false
    const seats = [...this.#seats].filter(({ isReady }) => isReady)
    if (seats.length > 0) void this.#step(seats)
  }

  async #step(seats: readonly Seat<I, S, C>[]): Promise<void> {
    const running = new RunningStep(seats.length)
    this.#running = running
    for (const seat of seats) seat.stepping()
    let progress: readonly Progress<C>[] = []
    let failure: (() => BatcherError) | undefined
    try {
      const read = progressOf<C>(await this.#call(seats, running), seats.length)
      if (typeof read === 'string') failure = () => this.#error('RESULT_MISMATCH', read)
      else progress = read
    } catch (cause) {
      const message = `\`step\` failed: ${describe(cause)}`
      failure = () => this.#error('BATCH_FAILED', message, { cause })
    }
    this.#running = undefined
    for (const [index, seat] of seats.entries()) {
      if (failure) seat.failed(failure())
      else seat.stepped(progress[index] as Progress<C>)
    }
    this.ready()
  }

  /** Calls `step` in a scope of its own, that shows what a batch of its items may see of them. */
  async #call(seats: readonly Seat<I, S, C>[], running: RunningStep): Promise<unknown> {
    const { name, strictStores, engine, detectsLeaks, nextId } = this.#options
    const id = nextId()
    const guard = detectsLeaks ? leakGuard(name, id) : undefined
    const scope = openBatchScope(
      seats.flatMap(({ members }) => members),
      {
        name: id,
        batcher: name,
        strictStores,
        get signal() {
          return running.signal
        },
        deadline: latest(seats),
        ...(engine && { engine }),
      },
    )
    try {
      return await scope.run(async () => {
        guard?.check('start')
        const results = this.#options.step(
          seats.map(({ active }) => active),
          running,
        )
        guard?.check('return')
        try {
          return await results
        } finally {
          guard?.check('end')
        }
      })
    } finally {
      scope.close()
    }
  }

  #error(
    code: 'RESULT_MISMATCH' | 'BATCH_FAILED',
    message: string,
    details?: ErrorOptions,
  ): BatcherError {
    const { name } = this.#options
    return new BatcherError(code, name, `Batcher \`${name}\`: ${message}`, details)
  }
}

/** A call of `step`. */
class RunningStep implements Step {
  /** Items whose consumers have not left. */
  #waiting: number
  #controller: AbortController | undefined
  #reason: unknown

  constructor(size: number) {
    this.#waiting = size
  }

  /** Made when somebody asks for it. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#waiting === 0) this.#controller.abort(this.#reason)
    }
    return this.#controller.signal
  }

  left(reason: unknown): void {
    this.#waiting -= 1
    if (this.#waiting > 0) return
    this.#reason = reason
    // Whoever leaves may be a caller, in its own context; what listens to it belongs to the step.
    runNeutral(() => this.#controller?.abort(reason))
  }
}

function latest(seats: readonly { readonly deadline: number | undefined }[]): number | undefined {
  const deadlines = seats.map(({ deadline }) => deadline ?? Number.POSITIVE_INFINITY)
  const last = Math.max(...deadlines)
  return last === Number.POSITIVE_INFINITY ? undefined : last
}
