import { clock } from '@heddle/context/engine'

import { Alarm } from '../alarm.ts'
import type { BatchView } from '../batch-view.ts'
import { BatcherError } from '../errors.ts'
import type { Outcome } from '../item.ts'
import type { Channel } from './channel.ts'
import { type Chunk, END } from './options.ts'

export interface DriverOptions {
  readonly name: string
  readonly maxBuffered: number
  readonly maxStall: number
}

/**
 * Asks the batch function for chunks, as long as somebody wants them and every consumer has room, and gives
 * each to its item. It runs in the batch's scope, so that the body of a generator does, too.
 */
export class Driver<I, C> {
  readonly #batch: BatchView<I, undefined>
  readonly #channels: readonly Channel<C>[]
  readonly #options: DriverOptions
  /** Items that have their outcome from here. */
  readonly #over = new Set<number>()
  /** Items whose consumers had as many chunks waiting as they may, when they got their last one. */
  readonly #held = new Set<number>()
  #wake: (() => void) | undefined
  readonly #alarm = new Alarm(() => this.#changed())
  #pulled: Promise<IteratorResult<Chunk<C>>> | undefined

  constructor(batch: BatchView<I, undefined>, options: DriverOptions) {
    this.#batch = batch
    this.#options = options
    this.#channels = batch.attachments() as readonly Channel<C>[]
    for (const channel of this.#channels) channel.onRoom = this.#changed
  }

  async run(start: () => AsyncIterable<Chunk<C>>): Promise<readonly undefined[]> {
    const chunks = start()[Symbol.asyncIterator]()
    const { signal } = this.#batch
    signal.addEventListener('abort', this.#changed, { once: true })
    // What has come to an end by itself is not told to stop.
    let isOpen = true
    try {
      while (await this.#room()) {
        isOpen = false
        const next = await this.#next(chunks)
        isOpen = next?.done !== true
        if (next === undefined || next.done) break
        this.#give(next.value)
      }
    } finally {
      signal.removeEventListener('abort', this.#changed)
      if (isOpen) await this.#stop(chunks)
    }
    return this.#channels.map(() => undefined)
  }

  /** What is yielded next; `undefined` as soon as nobody waits for it any more. */
  #next(chunks: AsyncIterator<Chunk<C>>): Promise<IteratorResult<Chunk<C>> | undefined> {
    return new Promise((resolve, reject) => {
      this.#wake = () => {
        if (this.#batch.signal.aborted) resolve(undefined)
      }
      this.#pulled = Promise.resolve(chunks.next())
      this.#pulled.then(resolve, reject)
    })
  }

  /** From here and not where the signal aborts, since a generator goes on in the context of who ends it. */
  async #stop(chunks: AsyncIterator<Chunk<C>>): Promise<void> {
    try {
      // One that cannot be told to stop is over when it has answered.
      await (chunks.return ? chunks.return() : this.#pulled)
    } catch {
      // Whoever waited has left, or has an error already.
    }
  }

  /** What a consumer does wakes the driver. */
  readonly #changed = (): void => this.#wake?.()

  /**
   * Resolves when no consumer has as many chunks waiting as it may.
   *
   * @returns whether anybody is there to have more
   */
  async #room(): Promise<boolean> {
    let end = Number.POSITIVE_INFINITY
    for (let full = this.#full(); full.size > 0; full = this.#full()) {
      const now = clock.now()
      // No later than if it had begun now: a test's clock may have been ahead, and put away since.
      end = Math.min(end, now + this.#options.maxStall)
      if (now >= end) for (const index of full) this.#reject(index, this.#tooSlow())
      else await this.#change(end)
    }
    return !this.#batch.signal.aborted
  }

  /** Those that hold the others up. */
  #full(): ReadonlySet<number> {
    for (const index of this.#held) if (!this.#isFull(index)) this.#held.delete(index)
    return this.#held
  }

  #isFull(index: number): boolean {
    const channel = this.#channels[index]
    if (channel === undefined || channel.hasEnded || this.#over.has(index)) return false
    return channel.buffered >= this.#options.maxBuffered
  }

  /** Resolves when a consumer has taken a chunk or left, or at this time. */
  async #change(time: number): Promise<void> {
    this.#alarm.set(time)
    await new Promise<void>((resolve) => {
      this.#wake = resolve
    })
    this.#alarm.clear()
  }

  #give(value: unknown): void {
    const [index, chunk] = Array.isArray(value) ? (value as unknown as Chunk<C>) : []
    const channel = index === undefined ? undefined : this.#channels[index]
    if (index === undefined || channel === undefined) {
      for (const [n] of this.#channels.entries()) this.#reject(n, this.#mismatch(value))
    } else if (chunk === END) {
      this.#settle(index, { status: 'fulfilled', value: undefined })
    } else if (chunk instanceof Error) {
      this.#settle(index, { status: 'rejected', reason: chunk, kind: 'item' })
    } else if (!this.#over.has(index)) {
      channel.push(chunk as C)
      if (this.#isFull(index)) this.#held.add(index)
    }
  }

  #reject(index: number, reason: BatcherError): void {
    this.#settle(index, { status: 'rejected', reason, kind: 'engine' })
  }

  #settle(index: number, outcome: Outcome<undefined>): void {
    this.#over.add(index)
    this.#batch.settle(index, outcome)
  }

  #tooSlow(): BatcherError {
    const { name, maxBuffered, maxStall } = this.#options
    return new BatcherError(
      'DEADLINE_EXCEEDED',
      name,
      `Batcher \`${name}\`: its consumer let ${maxBuffered} chunks wait for ${maxStall} ms, and with them the others of its batch. ` +
        'Cure: read faster, leave, or raise `maxBuffered` or `maxStall`',
    )
  }

  #mismatch(value: unknown): BatcherError {
    const { name } = this.#options
    return new BatcherError(
      'RESULT_MISMATCH',
      name,
      `Batcher \`${name}\`: Expected the batch function to yield \`[index, chunk]\` with an index below ${this.#channels.length}, got ${Array.isArray(value) ? `index ${String(value[0])}` : typeof value}`,
    )
  }
}
