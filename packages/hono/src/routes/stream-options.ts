import type { EventSourceMessage } from 'eventsource-encoder'

import type { ElapsedTiming } from '../server-timing.ts'

export interface StreamCallbacks {
  /**
   * Called once, in the request's context, when the client leaves before the end. The iterable is asked to
   * end, too, and an item of a batcher is given up by itself.
   */
  readonly onAbort?: (reason: Error) => void
  /**
   * Called once, in the request's context, with what ended the stream after it had begun; the app's own
   * `onError` is not, since the status is out. What it returns is sent in the place of the problem
   * document, unless it is `undefined`.
   *
   * @defaultValue `console.error` for what is neither a batcher's error nor an HTTPException
   */
  readonly onError?: (error: Error) => unknown
}

/** Server-sent events: an event per chunk, then `event: done` with the totals, or `event: error`. */
export interface EventStreamOptions<C> extends StreamCallbacks {
  readonly format?: 'sse'
  /**
   * The event of a chunk, as one that has an id or is plain text. Called in the request's context.
   *
   * @defaultValue the chunk as JSON in `data`
   */
  readonly message?: (chunk: C, index: number) => EventSourceMessage
}

/** Lines of JSON: one per chunk, then `{"done":…}` with the totals, or `{"error":…}`. */
export interface LineStreamOptions extends StreamCallbacks {
  readonly format: 'ndjson'
}

/** The chunks as they are. Who fails cuts the response off, since a body alone can tell no other way. */
export interface PlainStreamOptions extends StreamCallbacks {
  readonly format: 'plain'
  /** @defaultValue `'text/plain; charset=UTF-8'` */
  readonly contentType?: string
}

export type StreamOptions<C> =
  | EventStreamOptions<C>
  | LineStreamOptions
  | (C extends string | Uint8Array ? PlainStreamOptions : never)

/** What the last event of a stream that has come to its end tells; times with `serverTiming` alone. */
export interface StreamTotals extends ElapsedTiming {
  readonly chunks: number
}
