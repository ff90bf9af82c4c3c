import { runNeutral } from './neutral.ts'
import { relay } from './relay.ts'
import { Snapshot } from './snapshot.ts'

/**
 * An iterable whose source runs in the captured context, whoever consumes it. A generator's body
 * otherwise runs in the context of its consumer, on every runtime.
 *
 * @param snapshot - the context; by default the current one, which is let go when a source that can be
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
  return {
    [Symbol.asyncIterator]() {
      // It was iterated to its end before, and has nothing more to give.
      if (snapshot === undefined && context.isReleased) return new BoundIterator<T>()
      const source = context.run(() => iterable[Symbol.asyncIterator]())
      const isOnlyIteration = (source as object) === iterable
      return new BoundIterator(source, context, snapshot === undefined && isOnlyIteration)
    },
  }
}

/** An iterator that has nothing more to do with its source once it has ended. */
class BoundIterator<T> implements AsyncIterator<T> {
  #source: AsyncIterator<T> | undefined
  #context: Snapshot | undefined
  readonly #owned: boolean

  constructor(source?: AsyncIterator<T>, context?: Snapshot, owned = false) {
    this.#source = source
    this.#context = context
    this.#owned = owned
  }

  next(...args: [] | [unknown]): Promise<IteratorResult<T>> {
    return this.#call((source) => source.next(...(args as [])))
  }

  return(value?: unknown): Promise<IteratorResult<T>> {
    const end = { done: true as const, value }
    return this.#call((source) => source.return?.(value) ?? Promise.resolve(end), end)
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
    const source = this.#source
    const context = this.#context
    if (source === undefined || context === undefined) return Promise.resolve(afterEnd)
    // A source that threw has ended, too.
    const end = (): void => this.#end()
    try {
      const result = Promise.resolve(context.run(() => call(source)))
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
    if (this.#owned) this.#context?.release()
    this.#source = this.#context = undefined
  }
}

/**
 * A stream whose source runs in the captured context, whoever reads it: which context a source's
 * `pull` and `cancel` see otherwise depends on the runtime. It is a default stream, also if the source
 * is one of bytes.
 *
 * @param snapshot - the context; by default the current one, which is released when the stream ends
 */
export function bindReadableStream<T>(
  stream: ReadableStream<T>,
  snapshot?: Snapshot,
): ReadableStream<T> {
  const context = snapshot ?? Snapshot.capture()
  return runNeutral(() =>
    relay(stream, {
      around: (call) => context.run(call),
      onEnd: () => {
        if (snapshot === undefined) context.release()
      },
    }),
  )
}
