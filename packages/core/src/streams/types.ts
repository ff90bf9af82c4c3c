import type { BatcherStats, CloseOptions, SubmitOptions } from '../types.ts'

/** Joins single requests for a stream into common work. */
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
