import type { BatcherOptions } from '../options.ts'
import type { Batch } from '../types.ts'

/** In the place of a chunk: the stream of this item has ended. */
export const END: unique symbol = Symbol('END')

/** A chunk for the item at this index; an `Error` ends its stream, and rejects it alone. */
export type Chunk<C> = readonly [index: number, chunk: C | Error | typeof END]

export interface StreamBatcherOptions<I, C> extends Omit<
  BatcherOptions<I, undefined>,
  'run' | 'dedupeBy' | 'onFailure'
> {
  /**
   * The batch function: it yields the chunks of all items as they come. An item ends when it yields
   * `[index, END]`, or when it returns. It runs in a scope of its own: no request is current.
   */
  readonly run: (inputs: readonly I[], batch: Batch<I>) => AsyncIterable<Chunk<C>>
  /**
   * Chunks of an item that wait for its consumer. While those of one item are as many, the batch function is
   * not asked for more.
   *
   * @defaultValue 16
   */
  readonly maxBuffered?: number
  /**
   * ms that a consumer may hold up its batch so; then its item is rejected with `DEADLINE_EXCEEDED`.
   *
   * @defaultValue 1000
   */
  readonly maxStall?: number
}
