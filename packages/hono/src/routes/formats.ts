import { encode, type EventSourceMessage } from 'eventsource-encoder'

import type { StreamOptions, StreamTotals } from './stream-options.ts'

/** How a stream is written. */
export interface Format {
  readonly contentType: string
  chunk(chunk: unknown, index: number): string | Uint8Array
  /** `undefined` where the end of the body says it all. */
  done(totals: StreamTotals): string | undefined
  /** `undefined` where the body can only be cut off. */
  error(problem: unknown): string | undefined
}

export function formatOf<C>(options: StreamOptions<C>): Format {
  if (options.format === 'ndjson') return lines
  if (options.format === 'plain') {
    const { contentType = 'text/plain; charset=UTF-8' } = options
    return { ...plain, contentType }
  }
  const { format = 'sse', message } = options
  if (format !== 'sse') {
    throw new TypeError(
      `streamBatched(): Expected \`format\` to be 'sse', 'ndjson' or 'plain', got ${String(format)}`,
    )
  }
  if (message === undefined) return events
  return { ...events, chunk: (chunk, index) => encode(message(chunk as C, index)) }
}

/** https://html.spec.whatwg.org/multipage/server-sent-events.html */
const events: Format = {
  contentType: 'text/event-stream',
  chunk: (chunk) => event({ data: json(chunk) }),
  done: (totals) => event({ event: 'done', data: json(totals) }),
  error: (problem) => event({ event: 'error', data: json(problem) }),
}

function event(message: EventSourceMessage): string {
  return encode(message)
}

/** https://github.com/ndjson/ndjson-spec */
const lines: Format = {
  contentType: 'application/x-ndjson',
  chunk: (chunk) => `${json(chunk)}\n`,
  done: (done) => `${json({ done })}\n`,
  error: (error) => `${json({ error })}\n`,
}

const plain: Omit<Format, 'contentType'> = {
  chunk(chunk) {
    if (typeof chunk === 'string' || chunk instanceof Uint8Array) return chunk
    throw new TypeError(
      `streamBatched(): Expected a chunk of a plain stream to be a string or bytes, got ${typeof chunk}. ` +
        "Cure: make it one before, or use the format 'ndjson'.",
    )
  },
  done: () => undefined,
  error: () => undefined,
}

function json(value: unknown): string {
  // There is none for `undefined` and functions.
  return JSON.stringify(value) ?? 'null'
}
