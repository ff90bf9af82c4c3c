import { Snapshot } from '@heddle/context'
import { clock, warn } from '@heddle/context/engine'

import { Alarm } from '../alarm.ts'
import type { BatchView } from '../batch-view.ts'
import { BatcherError } from '../errors.ts'
import type { Item, Outcome } from '../item.ts'
import type { Channel } from './channel.ts'
import type { Active } from './continuous-options.ts'
import type { StreamBounds } from './rules.ts'
import type { Progress } from './step-results.ts'

export interface SeatOptions<S> extends StreamBounds {
  readonly name: string
  readonly end: ((state: S) => PromiseLike<void> | void) | undefined
}

/** Told of what happens to a seat: the stepper. */
export interface SeatOwner<I, S, C> {
  join(seat: Seat<I, S, C>): void
  /** Its consumer has left, while a step has it. */
  left(reason: unknown): void
  /** A step may have it again. */
  ready(): void
  vacated(seat: Seat<I, S, C>): void
}

/** The place of an item among the active ones, from what `start` has made of it until `end` gets that. */
export class Seat<I, S, C> {
  readonly active: Active<I, S>
  /** Resolves when `end` has settled. */
  readonly over: Promise<void>
  /** What its batch is to fail with, if it was not the item's own doing. */
  failure: BatcherError | undefined
  readonly #owner: SeatOwner<I, S, C>
  readonly #batch: BatchView<I, undefined>
  readonly #channel: Channel<C>
  readonly #options: SeatOptions<S>
  readonly #signal: AbortSignal
  readonly #snapshot = Snapshot.capture()
  readonly #alarm = new Alarm(() => this.#stalled())
  #isStepping = false
  #isPaused = false
  #hasLeft = false
  #resolve: (() => void) | undefined

  /** To be made in the item's batch, where `end` is called, too. */
  constructor(
    owner: SeatOwner<I, S, C>,
    batch: BatchView<I, undefined>,
    active: Active<I, S>,
    options: SeatOptions<S>,
  ) {
    this.#owner = owner
    this.#batch = batch
    this.#channel = batch.attachments()[0] as Channel<C>
    this.#options = options
    this.#signal = active.item.signal
    this.active = active
    this.over = new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  /** Joins the next step; unless its consumer has left while `start` ran. */
  take(): void {
    if (this.#signal.aborted) {
      this.#abort()
      return
    }
    this.#channel.onRoom = () => this.#room()
    this.#signal.addEventListener('abort', this.#abort, { once: true })
    this.#owner.join(this)
  }

  /** Whether a step may have it: its consumer is there and has room. */
  get isReady(): boolean {
    return !this.#hasLeft && !this.#isPaused
  }

  /** For the scopes of steps. Asked for each time: an error that is kept may lead to this seat. */
  get members(): readonly Item<I, undefined>[] {
    return this.#batch.members
  }

  get deadline(): number | undefined {
    return this.#batch.deadline
  }

  /** A step has it from here on. */
  stepping(): void {
    this.#isStepping = true
    this.#channel.stepping()
  }

  /** The step has ended. */
  stepped({ chunks, isDone, error }: Progress<C>): void {
    this.#isStepping = false
    if (this.#hasLeft) {
      this.#vacate()
      return
    }
    for (const chunk of chunks) this.#channel.push(chunk)
    if (error) this.#settle({ status: 'rejected', reason: error, kind: 'item' })
    else if (isDone) this.#settle({ status: 'fulfilled', value: undefined })
    else if (this.#channel.buffered >= this.#options.maxBuffered) this.#pause()
  }

  /** The step has failed. */
  failed(reason: BatcherError): void {
    this.#isStepping = false
    if (this.#hasLeft) {
      this.#vacate()
      return
    }
    this.failure = reason
    this.#settle({ status: 'rejected', reason, kind: 'engine' })
  }

  readonly #abort = (): void => {
    if (this.#hasLeft) return
    this.#hasLeft = true
    // A step that has its state may go on to use it.
    if (this.#isStepping) this.#owner.left(this.#signal.reason)
    else this.#vacate()
  }

  #pause(): void {
    this.#isPaused = true
    this.#alarm.set(clock.now() + this.#options.maxStall)
  }

  /** The consumer has taken a chunk. */
  #room(): void {
    if (!this.#isPaused || this.#channel.buffered >= this.#options.maxBuffered) return
    this.#isPaused = false
    this.#alarm.clear()
    this.#owner.ready()
  }

  #stalled(): void {
    const { name, maxBuffered, maxStall } = this.#options
    const reason = new BatcherError(
      'DEADLINE_EXCEEDED',
      name,
      `Batcher \`${name}\`: its consumer let ${maxBuffered} chunks wait for ${maxStall} ms, and kept its place from others. ` +
        'Cure: read faster, leave, or raise `maxBuffered` or `maxStall`',
    )
    this.#settle({ status: 'rejected', reason, kind: 'engine' })
  }

  #settle(outcome: Outcome<undefined>): void {
    this.#hasLeft = true
    this.#batch.settle(0, outcome)
    this.#vacate()
  }

  #vacate(): void {
    this.#alarm.clear()
    this.#channel.onRoom = undefined
    this.#signal.removeEventListener('abort', this.#abort)
    this.#owner.vacated(this)
    const { end } = this.#options
    let ended: PromiseLike<void> | void = undefined
    try {
      ended = this.#snapshot.run(() => end?.(this.active.state))
    } catch (error) {
      this.#warn(error)
    }
    this.#snapshot.release()
    const resolve = (): void => this.#resolve?.()
    if (ended === undefined) resolve()
    else
      Promise.resolve(ended)
        .catch((error: unknown) => this.#warn(error))
        .then(resolve, resolve)
  }

  #warn(error: unknown): void {
    const { name } = this.#options
    warn('CALLBACK_FAILED', `${name} end`, `\`end\` of batcher \`${name}\` threw`, error)
  }
}
