import { clock } from '@heddle/context/engine'

import type { StreamProgress } from '../instrument.ts'
import { excuse } from '../unobserved.ts'

type Result<C> = IteratorResult<C, undefined>

interface End {
  readonly error?: unknown
  /** Whether nobody has to look at the error. */
  readonly isExcused?: boolean
}

/** The way of one item's chunks to its consumer, and what the consumer sees of it. */
export class Channel<C> implements AsyncIterableIterator<C, undefined> {
  /** Called when there is more room: a chunk was taken, or none is wanted any more. */
  onRoom: (() => void) | undefined
  /** Called when the consumer wants no more. */
  onLeave: (() => void) | undefined
  readonly #chunks: C[] = []
  readonly #waiters: PromiseWithResolvers<Result<C>>[] = []
  #end: End | undefined
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

  /**
   * After the chunks that wait.
   *
   * @param isExcused - whether the rejection of `next()` may be left alone
   */
  fail(error: unknown, isExcused = false): void {
    this.#close({ error, isExcused })
  }

  next(): Promise<Result<C>> {
    if (this.#chunks.length > 0) {
      const value = this.#chunks.shift() as C
      this.onRoom?.()
      return Promise.resolve({ done: false, value })
    }
    const end = this.#end
    const waiter = Promise.withResolvers<Result<C>>()
    if (end === undefined) this.#waiters.push(waiter)
    else this.#tell(waiter, end)
    return waiter.promise
  }

  return(): Promise<Result<C>> {
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

  #close(end: End): void {
    if (this.#end) return
    this.#end = end
    const { onRoom } = this
    this.onRoom = this.onLeave = undefined
    onRoom?.()
    for (const waiter of this.#waiters.splice(0)) this.#tell(waiter, this.#end)
  }

  #tell({ promise, resolve, reject }: PromiseWithResolvers<Result<C>>, end: End): void {
    if (!('error' in end)) {
      resolve(done)
      return
    }
    // Once: after its error an iterator is at its end.
    this.#end = {}
    if (end.isExcused) excuse(promise)
    reject(end.error)
  }
}

const done: Result<never> = { done: true, value: undefined }
