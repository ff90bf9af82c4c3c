import { onAbort, Snapshot } from '@heddle/context'
import { asError, SourceHold } from '@heddle/context/engine'

import type { HttpScope } from '../http-scope.ts'
import type { ElapsedTiming } from '../server-timing.ts'
import type { Format } from './formats.ts'
import { abortFailure, asFailure, isExpected, problemOfFailure } from './stream-failure.ts'
import type { StreamCallbacks } from './stream-options.ts'

export interface StreamSource<C> {
  readonly iterator: AsyncIterator<C>
  /** Has been awaited. */
  readonly first: IteratorResult<C>
  readonly format: Format
  readonly callbacks: StreamCallbacks
  readonly scope: HttpScope
  /** ms that the stream's items took until now. */
  readonly timing: () => ElapsedTiming
}

type Controller = ReadableStreamDefaultController<Uint8Array>

/**
 * The body of a response that has begun. The iterable is asked for a chunk when the client has room for
 * it. It and the callbacks run in the context in which this was made, whoever reads the body.
 */
export class StreamBody<C> {
  readonly #source: StreamSource<C>
  readonly #snapshot: Snapshot = Snapshot.capture()
  readonly #encoder: TextEncoder = new TextEncoder()
  readonly #listening: Disposable
  readonly #closing: Disposable
  #first: IteratorResult<C> | undefined
  #controller: Controller | undefined
  #chunks = 0
  #hasEnded = false

  constructor(source: StreamSource<C>) {
    const { scope, first } = source
    this.#source = source
    this.#first = first
    this.#listening = onAbort(scope.signal, (reason) => this.#aborted(asError(reason)))
    // Nobody has read it, as when a middleware has answered with something else.
    this.#closing = scope.onClose(() => this.#giveUp())
  }

  readable(): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller
        },
        pull: () => (this.#hasEnded ? undefined : this.#snapshot.run(() => this.#pull())),
        cancel: (reason) => {
          if (!this.#hasEnded) this.#snapshot.run(() => this.#left(asError(reason)))
        },
      },
      // It asks for a chunk when one is read, and never before.
      { highWaterMark: 0 },
    )
  }

  async #pull(): Promise<void> {
    const { iterator, format, scope, timing } = this.#source
    let result: IteratorResult<C>
    try {
      result = this.#first ?? (await iterator.next())
    } catch (error) {
      await this.#fail(asFailure(error))
      return
    }
    this.#first = undefined
    if (this.#hasEnded) return
    if (result.done) {
      this.#end()
      this.#finish(format.done({ chunks: this.#chunks, ...timing() }))
      return
    }
    try {
      const text = format.chunk(result.value, this.#chunks)
      this.#chunks += 1
      this.#write(text)
    } catch (error) {
      leaveSource(iterator, scope)
      await this.#fail(asFailure(error))
    }
  }

  #aborted(reason: Error): void {
    if (this.#hasEnded) return
    const { iterator, scope } = this.#source
    if (scope.abortReason) {
      this.#left(reason)
      return
    }
    leaveSource(iterator, scope)
    void this.#fail(abortFailure(scope))
  }

  #left(reason: Error): void {
    const { callbacks } = this.#source
    this.#giveUp()
    try {
      callbacks.onAbort?.(reason)
    } catch (error) {
      console.error(error)
    }
  }

  #giveUp(): void {
    if (this.#hasEnded) return
    const { iterator, scope } = this.#source
    leaveSource(iterator, scope)
    this.#end()
    this.#close()
  }

  async #fail(error: Error): Promise<void> {
    if (this.#hasEnded) return
    this.#end()
    const last = await this.#lastWords(error)
    if (last === undefined) this.#controller?.error(new Error('The stream was cut off'))
    else this.#finish(last)
  }

  async #lastWords(error: Error): Promise<string | undefined> {
    const { format, scope } = this.#source
    try {
      return format.error(this.#report(error) ?? (await problemOfFailure(error, scope)))
    } catch (failure) {
      // What `onError` returned is no JSON.
      console.error(failure)
      return undefined
    }
  }

  #report(error: Error): unknown {
    const { onError } = this.#source.callbacks
    try {
      if (onError) return onError(error)
      if (!isExpected(error)) console.error(error)
    } catch (failure) {
      console.error(failure)
    }
    return undefined
  }

  #end(): void {
    this.#hasEnded = true
    this.#listening[Symbol.dispose]()
    this.#closing[Symbol.dispose]()
    this.#snapshot.release()
  }

  #finish(last: string | undefined): void {
    try {
      if (last !== undefined) this.#write(last)
    } catch {
      // Its reader has cancelled it meanwhile.
    }
    this.#close()
  }

  #write(text: string | Uint8Array): void {
    this.#controller?.enqueue(typeof text === 'string' ? this.#encoder.encode(text) : text)
  }

  #close(): void {
    try {
      this.#controller?.close()
    } catch {
      // Its reader has cancelled it meanwhile.
    }
  }
}

/** Tells the iterable that no more is wanted. What is left for it to do, it does while the scope is open. */
export function leaveSource(iterator: AsyncIterator<unknown>, scope: HttpScope): void {
  new SourceHold(scope).releaseAfter(returnQuietly(iterator))
}

async function returnQuietly(iterator: AsyncIterator<unknown>): Promise<void> {
  try {
    await iterator.return?.()
  } catch {
    // Nobody is left to hear of it.
  }
}
