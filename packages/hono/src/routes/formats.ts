import {
  aFunction,
  assertOption,
  assertOptions,
  aText,
  oneOf,
  type OptionRule,
  type OptionRules,
} from '@heddle/context/engine'
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

/** @throws TypeError for an option that is not as described, or that the format has not */
export function formatOf<C>(options: StreamOptions<C>): Format {
  assertOption('streamBatched', 'options', options, anObject)
  const { format = 'sse' } = options
  assertOption('streamBatched', 'format', format, aFormat)
  assertOptions('streamBatched', options, RULES[format])
  if (options.format === 'ndjson') return lines
  if (options.format === 'plain') {
    const { contentType = 'text/plain; charset=UTF-8' } = options
    return { ...plain, contentType }
  }
  const { message } = options
  if (message === undefined) return events
  return { ...events, chunk: (chunk, index) => encode(message(chunk as C, index)) }
}

const anObject: OptionRule = {
  expected: 'an object',
  holds: (value) => typeof value === 'object' && value !== null,
}
const aFormat = oneOf('sse', 'ndjson', 'plain')
const callbacks = { onAbort: aFunction, onError: aFunction }
/** Each format has options of its own. */
const RULES = {
  sse: { format: aFormat, message: aFunction, ...callbacks },
  ndjson: { format: aFormat, ...callbacks },
  plain: { format: aFormat, contentType: aText, ...callbacks },
} satisfies Record<NonNullable<StreamOptions<string>['format']>, OptionRules>

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
