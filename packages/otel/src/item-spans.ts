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
  readonly #wait: Span
  /** One for both spans, so that nothing comes between them. */
  readonly #clock: number
  readonly #submittedAt: number
  #execute: Span | undefined

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
    this.#wait = wait
    this.#clock = clock
    this.#submittedAt = submittedAt
  }

  get context(): SpanContext {
    return this.#wait.spanContext()
  }

  get isSampled(): boolean {
    return (this.context.traceFlags & TraceFlags.SAMPLED) !== 0
  }

  execute(tracer: Tracer, batch: BatchInfo, place: Place, link: SpanContext | undefined): void {
    // What was decided for the first half of an item holds for the second.
    if (!this.#wait.isRecording()) return
    const start = this.#endWait(batch.startedAt)
    const { index, waiters = 1 } = place
    this.#execute = tracer.startSpan(
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
  }

  settle(item: SettledItem): void {
    const time = toHrTime(toMicros(this.#clock, item.settledAt))
    if (this.#execute) {
      if (item.outcome === 'rejected') markItemFailed(this.#execute, item, time)
      if (item.stream) this.#execute.setAttributes(attributesOf(item.stream, item.submittedAt))
      this.#execute.end(time)
    } else {
      // It never ran, or nobody was there when it started.
      if (item.outcome === 'rejected') markItemFailed(this.#wait, item, time)
      if (item.timing) this.#endWait(this.#submittedAt + item.timing.queued)
      else this.#wait.end(time)
    }
  }

  /**
   * Ends the wait 1 µs before `execute` starts: Jaeger leaves it out of the critical path otherwise.
   *
   * @returns when `execute` starts, µs
   */
  #endWait(startedAt: number): number {
    const start = Math.max(
      toMicros(this.#clock, startedAt),
      toMicros(this.#clock, this.#submittedAt) + 1,
    )
    this.#wait.end(toHrTime(start - 1))
    return start
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
