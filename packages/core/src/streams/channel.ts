import { clock } from '@heddle/context/engine'

import type { StreamProgress } from '../instrument.ts'

interface Waiter<C> {
  readonly resolve: (result: IteratorResult<C, undefined>) => void
  readonly reject: (error: unknown) => void
}

/** The way of one item's chunks to its consumer, and what the consumer sees of it. */
export class Channel<C> implements AsyncIterableIterator<C, undefined> {
  /** Called when there is more room: a chunk was taken, or none is wanted any more. */
  onRoom: (() => void) | undefined
  /** Called when the consumer wants no more. */
  onLeave: (() => void) | undefined
  readonly #chunks: C[] = []
  readonly #waiters: Waiter<C>[] = []
  #end: { readonly error?: unknown } | undefined
  #pushed = 0
  #firstChunkAt: number | undefined
  #steps: number | undefined

  get progress(): StreamProgress {
    return { chunks: this.#pushed, firstChunkAt: this.#firstChunkAt, steps: this.#steps }
  }

  get buffered(): number {
    return this.#chunks.length
  }

  get hasEnded(): boolean {
    return this.#end !== undefined
  }

  push(chunk: C): void {
    if (this.#end) return
    this.#pushed += 1
    this.#firstChunkAt ??= clock.now()
    const waiter = this.#waiters.shift()
    if (waiter) waiter.resolve({ done: false, value: chunk })
    else this.#chunks.push(chunk)
  }

  /** A step of a continuous batcher has it. */
  stepping(): void {
    this.#steps = (this.#steps ?? 0) + 1
  }

  /** After the chunks that wait. */
  end(): void {
    this.#close({})
  }

  /** After the chunks that wait. */
  fail(error: unknown): void {
    this.#close({ error })
  }

  next(): Promise<IteratorResult<C, undefined>> {
    if (this.#chunks.length > 0) {
      const value = this.#chunks.shift() as C
      this.onRoom?.()
      return Promise.resolve({ done: false, value })
    }
    const end = this.#end
    if (end === undefined) {
      return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }))
    }
    if (!('error' in end)) return Promise.resolve(done)
    // Once: after its error an iterator is at its end.
    this.#end = {}
    // It is what the batch function or the caller gave as the reason.
    // oxlint-disable-next-line typescript/prefer-promise-reject-errors
    return Promise.reject(end.error)
  }

  return(): Promise<IteratorResult<C, undefined>> {
    this.#chunks.length = 0
    const { onLeave } = this
    this.#close({})
    this.#end = {}
    onLeave?.()
    return Promise.resolve(done)
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }

  #close(end: { readonly error?: unknown }): void {
    if (this.#end) return
    this.#end = end
    const { onRoom } = this
    this.onRoom = this.onLeave = undefined
    onRoom?.()
    for (const [index, { resolve, reject }] of this.#waiters.splice(0).entries()) {
      if (index === 0 && 'error' in end) {
        this.#end = {}
        reject(end.error)
      } else {
        resolve(done)
      }
    }
  }
}

const done: IteratorResult<never, undefined> = { done: true, value: undefined }
