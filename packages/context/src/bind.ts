import { runNeutral } from './neutral.ts'
import { relay } from './relay.ts'
import { Snapshot } from './snapshot.ts'
import { SourceHold } from './source-hold.ts'

/**
 * An iterable whose source runs in the captured context, whoever consumes it. A generator's body
 * otherwise runs in the context of its consumer, on every runtime, and on Bun in none if it is the body
 * of a response.
 *
 * The request's scope stays open until the source has ended. One that nobody begins to read keeps it open for
 * at most 5 s after it was bound, or, if the request's function runs longer, at most 5 s after that has
 * returned. One whose reader has left does so for at most 30 s after `return()`.
 *
 * @param snapshot - the context; by default the current one, which is released when a source that can be
 * iterated once, as a generator, has ended
 * @example
 * ```ts
 * return new Response(ReadableStream.from(bindAsyncIterable(generate())))
 * ```
 */
export function bindAsyncIterable<T>(
  iterable: AsyncIterable<T>,
  snapshot?: Snapshot,
): AsyncIterable<T> {
  const context = snapshot ?? Snapshot.capture()
  // Of the first iteration, which often begins when the handler has returned.
  let first: SourceHold | undefined = new SourceHold(context.scope)
  return {
    [Symbol.asyncIterator]() {
      // It was iterated to its end before, and has nothing more to give.
      if (snapshot === undefined && context.isReleased) return new BoundIterator<T>()
      const source = context.run(() => iterable[Symbol.asyncIterator]())
      const isOnlyIteration = (source as object) === iterable
      const hold = first ?? new SourceHold(context.scope)
      first = undefined
      return new BoundIterator({ source, context, hold }, snapshot === undefined && isOnlyIteration)
    },
  }
}

interface Bound<T> {
  readonly source: AsyncIterator<T>
  readonly context: Snapshot
  readonly hold: SourceHold
}

/** An iterator that has nothing more to do with its source once it has ended. */
class BoundIterator<T> implements AsyncIterator<T> {
  #bound: Bound<T> | undefined
  readonly #owned: boolean

  /** @param owned - whether the context is released when the source has ended */
  constructor(bound?: Bound<T>, owned = false) {
    this.#bound = bound
    this.#owned = owned
  }

  next(...args: [] | [unknown]): Promise<IteratorResult<T>> {
    this.#bound?.hold.begin()
    return this.#call((source) => source.next(...(args as [])))
  }

  return(value?: unknown): Promise<IteratorResult<T>> {
    const end = { done: true as const, value }
    const hold = this.#bound?.hold
    const ended = this.#call((source) => source.return?.(value) ?? Promise.resolve(end), end)
    hold?.releaseAfter(ended)
    return ended
  }

  throw(error?: unknown): Promise<IteratorResult<T>> {
    return this.#call((source) => {
      if (source.throw) return source.throw(error)
      throw error
    })
  }

  /** Gives the source's own promise: nobody has to look at a rejection that is none for the source. */
  #call(
    call: (source: AsyncIterator<T>) => Promise<IteratorResult<T>>,
    afterEnd: IteratorReturnResult<unknown> = { done: true, value: undefined },
  ): Promise<IteratorResult<T>> {
    const bound = this.#bound
    if (bound === undefined) return Promise.resolve(afterEnd)
    // A source that threw has ended, too.
    const end = (): void => this.#end()
    try {
      const result = Promise.resolve(bound.context.run(() => call(bound.source)))
      result.then((next) => {
        if (next?.done !== false) end()
      }, end)
      return result
    } catch (error) {
      end()
      // It is what the source threw.
      // oxlint-disable-next-line typescript/prefer-promise-reject-errors
      return Promise.reject(error)
    }
  }

  #end(): void {
    const bound = this.#bound
    this.#bound = undefined
    if (this.#owned) bound?.context.release()
    bound?.hold.release()
  }
}

/**
 * A stream whose source runs in the captured context, whoever reads it: which context a source's
 * `pull` and `cancel` see otherwise depends on the runtime. It is a default stream, also if the source
 * is one of bytes.
 *
 * The request's scope stays open until the source has ended. One that nobody begins to read keeps it open for
 * at most 5 s after it was bound, or, if the request's function runs longer, at most 5 s after that has
 * returned. One whose reader has left does so for at most 30 s after `cancel()`.
 *
 * @param snapshot - the context; by default the current one, which is released when the stream ends
 */
export function bindReadableStream<T>(
  stream: ReadableStream<T>,
  snapshot?: Snapshot,
): ReadableStream<T> {
  const context = snapshot ?? Snapshot.capture()
  const hold = new SourceHold(context.scope)
  return runNeutral(() =>
    relay(stream, {
      around(call) {
        hold.begin()
        return context.run(call)
      },
      onCancel: (ended) => hold.releaseAfter(ended),
      onEnd() {
        if (snapshot === undefined) context.release()
        hold.release()
      },
    }),
  )
}
