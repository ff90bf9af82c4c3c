import { runNeutral } from '@heddle/context'
import { clock } from '@heddle/context/engine'

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
  #wake: (() => void) | undefined

  constructor(batch: BatchView<I, undefined>, options: DriverOptions) {
    this.#batch = batch
    this.#options = options
    this.#channels = batch.attachments() as readonly Channel<C>[]
    for (const channel of this.#channels) channel.onRoom = this.#changed
  }

  async run(start: () => AsyncIterable<Chunk<C>>): Promise<readonly undefined[]> {
    const chunks = start()[Symbol.asyncIterator]()
    const stop = (): void => void Promise.resolve(chunks.return?.()).catch(ignore)
    const { signal } = this.#batch
    const noneIsLeft = (): void => {
      this.#wake?.()
      stop()
    }
    signal.addEventListener('abort', noneIsLeft, { once: true })
    try {
      while (!signal.aborted && (await this.#room()) && !signal.aborted) {
        const { done, value } = await chunks.next()
        if (done) break
        this.#give(value)
      }
    } finally {
      signal.removeEventListener('abort', noneIsLeft)
      await chunks.return?.()
    }
    return this.#channels.map(() => undefined)
  }

  /** What a consumer does wakes the driver. */
  readonly #changed = (): void => this.#wake?.()

  /** Resolves when no consumer has as many chunks waiting as it may. */
  async #room(): Promise<boolean> {
    const since = clock.now()
    for (let full = this.#full(); full.length > 0; full = this.#full()) {
      const left = since + this.#options.maxStall - clock.now()
      if (left <= 0) for (const index of full) this.#reject(index, this.#tooSlow())
      else await this.#change(left)
      if (this.#batch.signal.aborted) return false
    }
    return true
  }

  #full(): readonly number[] {
    return this.#channels.flatMap((channel, index) =>
      !channel.hasEnded && !this.#over.has(index) && channel.buffered >= this.#options.maxBuffered
        ? [index]
        : [],
    )
  }

  /** Resolves when a consumer has taken a chunk or left, or after so many ms. */
  #change(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = runNeutral(() => clock.setTimeout(this.#changed, milliseconds))
      this.#wake = () => {
        this.#wake = undefined
        clock.clearTimeout(timer)
        resolve()
      }
    })
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

function ignore(): void {
  // Whoever waited has left.
}
