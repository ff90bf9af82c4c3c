import type { BatchInfo, SettledItem, StreamProgress, SubmittedItem } from '@heddle/core'
import {
  type Attributes,
  type Context,
  isSpanContextValid,
  type Span,
  type SpanContext,
  trace,
  TraceFlags,
  type Tracer,
} from '@opentelemetry/api'

import { clockOrigin, toHrTime, toMicros } from './clock.ts'
import { markItemFailed } from './failure.ts'
import {
  ATTR_BATCH_ID,
  ATTR_BATCH_REASON,
  ATTR_BATCH_SIZE,
  ATTR_BATCHER_NAME,
  ATTR_ITEM_INDEX,
  ATTR_ITEM_TIME_IN_QUEUE,
  ATTR_ITEM_WAITERS,
  ATTR_QUEUE_SIZE,
  ATTR_STREAM_CHUNKS,
  ATTR_STREAM_STEPS,
  ATTR_STREAM_TIME_TO_FIRST_CHUNK,
  EXECUTE,
  WAIT,
} from './names.ts'

/** Where an item is in its batch, and how many wait for it there. */
export interface Place {
  readonly index: number
  readonly waiters: number | undefined
}

/** What is kept of an item that may be traced, from its submit on. */
export interface ItemTrace {
  /** In which it was submitted. */
  readonly caller: Context
  /** The caller's span, `undefined` if it had none. */
  readonly parent: SpanContext | undefined
  /** What the batch links to. */
  readonly context: SpanContext
  readonly isSampled: boolean
  /**
   * Its batch has started.
   *
   * @param link - to the span of the batch
   */
  execute(tracer: Tracer, batch: BatchInfo, place: Place, link: SpanContext | undefined): void
  /** Its caller has got an answer. */
  settle(item: SettledItem): void
}

/** What one item leaves in its caller's trace: `wait`, then `execute`. */
export class ItemSpans implements ItemTrace {
  readonly caller: Context
  readonly parent: SpanContext | undefined
  readonly context: SpanContext
  readonly isSampled: boolean
  readonly #wait: Span
  /** One for both spans, so that nothing comes between them. */
  readonly #clock: number
  readonly #submittedAt: number
  /** The one that has not ended. */
  #open: Span | undefined

  /** `undefined` where no SDK is at work. */
  static start(tracer: Tracer, item: SubmittedItem, caller: Context): ItemSpans | undefined {
    const clock = clockOrigin()
    const wait = tracer.startSpan(
      `${WAIT} ${item.batcher}`,
      {
        startTime: toHrTime(toMicros(clock, item.submittedAt)),
        attributes: { [ATTR_BATCHER_NAME]: item.batcher, [ATTR_QUEUE_SIZE]: item.queueSize },
      },
      caller,
    )
    const isKnown = wait.isRecording() || isSpanContextValid(wait.spanContext())
    return isKnown ? new ItemSpans(wait, clock, item, caller) : undefined
  }

  constructor(wait: Span, clock: number, { submittedAt }: SubmittedItem, caller: Context) {
    this.caller = caller
    const parent = trace.getSpanContext(caller)
    this.parent = parent && isSpanContextValid(parent) ? parent : undefined
    // Read once and now: a span that throws here, or has no context, spoils no batch later.
    this.context = wait.spanContext()
    this.isSampled = (this.context.traceFlags & TraceFlags.SAMPLED) !== 0
    this.#wait = wait
    this.#open = wait
    this.#clock = clock
    this.#submittedAt = submittedAt
  }

  execute(tracer: Tracer, batch: BatchInfo, place: Place, link: SpanContext | undefined): void {
    // What was decided for the first half of an item holds for the second.
    if (!this.#wait.isRecording()) return
    const start = this.#executeStart(batch.startedAt)
    const { index, waiters = 1 } = place
    this.#open = undefined
    // One that cannot be started or ended leaves the other as it is.
    try {
      this.#open = tracer.startSpan(
        `${EXECUTE} ${batch.batcher}`,
        {
          startTime: toHrTime(start),
          attributes: {
            [ATTR_BATCHER_NAME]: batch.batcher,
            [ATTR_BATCH_ID]: batch.id,
            [ATTR_BATCH_SIZE]: batch.size,
            [ATTR_BATCH_REASON]: batch.reason,
            [ATTR_ITEM_INDEX]: index,
            [ATTR_ITEM_TIME_IN_QUEUE]: (batch.startedAt - this.#submittedAt) / 1000,
            ...(waiters > 1 && { [ATTR_ITEM_WAITERS]: waiters }),
          },
          links: link ? [{ context: link }] : [],
        },
        // A second root would put the two halves of the item into two traces.
        this.parent ? this.caller : trace.setSpan(this.caller, this.#wait),
      )
    } finally {
      this.#endWait(start)
    }
  }

  settle(item: SettledItem): void {
    const span = this.#open
    if (span === undefined) return
    this.#open = undefined
    const time = toHrTime(toMicros(this.#clock, item.settledAt))
    const isExecute = span !== this.#wait
    try {
      if (item.outcome === 'rejected') markItemFailed(span, item, time)
      if (item.stream && isExecute) {
        span.setAttributes(attributesOf(item.stream, item.submittedAt))
      }
    } finally {
      // Without `execute` it never ran, or nobody was there when it started.
      if (isExecute || item.timing === undefined) span.end(time)
      else this.#endWait(this.#executeStart(this.#submittedAt + item.timing.queued))
    }
  }

  /** When `execute` starts, µs. */
  #executeStart(startedAt: number): number {
    return Math.max(toMicros(this.#clock, startedAt), toMicros(this.#clock, this.#submittedAt) + 1)
  }

  /** 1 µs before `execute` starts: Jaeger leaves it out of the critical path otherwise. */
  #endWait(executeStart: number): void {
    this.#wait.end(toHrTime(executeStart - 1))
  }
}

function attributesOf(
  { chunks, firstChunkAt, steps }: StreamProgress,
  submittedAt: number,
): Attributes {
  const attributes: Attributes = { [ATTR_STREAM_CHUNKS]: chunks }
  if (firstChunkAt !== undefined) {
    attributes[ATTR_STREAM_TIME_TO_FIRST_CHUNK] = (firstChunkAt - submittedAt) / 1000
  }
  if (steps !== undefined) attributes[ATTR_STREAM_STEPS] = steps
  return attributes
}
