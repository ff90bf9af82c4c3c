import type { BatchView } from '../batch-view.ts'
import { Engine } from '../engine.ts'
import { Handle } from '../handle.ts'
import { resolveOptions } from '../options.ts'
import type { BatcherStats, CloseOptions, SubmitOptions } from '../types.ts'
import { Channel } from './channel.ts'
import { Driver } from './driver.ts'
import { assertStreamOptions, type StreamBatcherOptions } from './options.ts'

/** Joins single requests for a stream into calls of its batch function. */
export interface StreamBatcher<I, C> extends AsyncDisposable {
  readonly name: string
  /**
   * Adds an item to the queue at once, in the caller's context, and gives its chunks as they come. A
   * consumer that leaves (`break`, `return()`) gives the item up, as an abort and a deadline do.
   *
   * What prevents or ends the stream rejects the next `next()`, once: BatcherError, the item's own error,
   * or the reason of an aborted signal.
   */
  stream(input: I, options?: SubmitOptions): AsyncIterableIterator<C, undefined>
  /** What the batcher has done since it was made, and does now. */
  stats(): BatcherStats
  /** Resolves when nothing is queued or in flight; until then nothing lingers. */
  drain(): Promise<void>
  /** As `Batcher.close`. */
  close(options?: CloseOptions): Promise<void>
}

/**
 * Makes a batcher of streams: one call of the batch function yields the chunks of many items.
 *
 * @throws BatcherError `INVALID_OPTION`
 * @example
 * ```ts
 * const words = createStreamBatcher({
 *   name: 'words',
 *   async *run(prompts: readonly string[]) {
 *     for await (const [index, word] of model.generate(prompts)) yield [index, word]
 *   },
 * })
 * for await (const word of words.stream('Once upon a time')) console.log(word)
 * ```
 */
export function createStreamBatcher<I, C>(
  options: StreamBatcherOptions<I, C>,
): StreamBatcher<I, C> {
  return new EngineStreamBatcher(options)
}

class EngineStreamBatcher<I, C> extends Handle implements StreamBatcher<I, C> {
  readonly #engine: Engine<I, undefined>

  constructor({ maxBuffered = 16, maxStall = 1000, run, ...options }: StreamBatcherOptions<I, C>) {
    const resolved = resolveOptions<I, undefined>({
      ...options,
      // Checked as it is, and called in the place of what the engine calls.
      run: (typeof run === 'function' ? drive : run) as never,
    })
    const { name } = resolved
    assertStreamOptions(name, { ...options, maxBuffered, maxStall })
    const engine = new Engine(resolved)
    super(engine)
    this.#engine = engine
    function drive(
      inputs: readonly I[],
      batch: BatchView<I, undefined>,
    ): Promise<readonly undefined[]> {
      const driver = new Driver<I, C>(batch, { name, maxBuffered, maxStall })
      return driver.run(() => run(inputs, batch))
    }
  }

  stream(input: I, options?: SubmitOptions): AsyncIterableIterator<C, undefined> {
    const channel = new Channel<C>()
    const item = this.#engine.enqueue(input, options, channel)
    channel.onLeave = () => {
      this.#engine.abandon(item, new DOMException('The consumer has left', 'AbortError'))
    }
    item.promise.then(
      () => channel.end(),
      (error: unknown) => channel.fail(error),
    )
    return channel
  }
}
