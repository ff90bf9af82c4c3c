import { randomBytes } from 'node:crypto'

import type { ForeignStore } from '@heddle/context'
import { clock } from '@heddle/context/engine'
import type { BatchInfo } from '@heddle/core'
import {
  type Context,
  type HrTime,
  type Link,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  trace,
  TraceFlags,
  type Tracer,
} from '@opentelemetry/api'

import { clockOrigin, toHrTime, toMicros } from './clock.ts'
import { markFailed } from './failure.ts'
import type { ItemTrace } from './item-spans.ts'
import {
  ATTR_BATCH_ID,
  ATTR_BATCH_MAX_SIZE,
  ATTR_BATCH_PARTITION,
  ATTR_BATCH_REASON,
  ATTR_BATCH_SIZE,
  ATTR_BATCHER_NAME,
  BATCH,
} from './names.ts'

/** What a span holds unless somebody has set a limit; of more, the JS SDK would keep the last. */
const MAX_LINKS = 128

/** The span of a whole batch: the parent of what the batch function does, in nobody's trace. */
export class BatchSpan {
  /** The batch function's: this span and nothing else, no baggage of anybody above all. */
  readonly active: Context
  readonly context: SpanContext
  readonly #span: Span
  readonly #clock: number
  readonly #batch: BatchInfo

  /**
   * @param parent - of all members, if they share one and the span is to be its child
   */
  constructor(
    tracer: Tracer,
    batch: BatchInfo,
    members: readonly ItemTrace[],
    parent: SpanContext | undefined,
  ) {
    this.#clock = clockOrigin()
    this.#batch = batch
    this.#span = tracer.startSpan(
      `${BATCH} ${batch.batcher}`,
      {
        startTime: toHrTime(toMicros(this.#clock, batch.startedAt)),
        attributes: {
          [ATTR_BATCHER_NAME]: batch.batcher,
          [ATTR_BATCH_ID]: batch.id,
          [ATTR_BATCH_SIZE]: batch.size,
          [ATTR_BATCH_MAX_SIZE]: batch.maxSize,
          [ATTR_BATCH_REASON]: batch.reason,
          ...(batch.partition === '' ? {} : { [ATTR_BATCH_PARTITION]: batch.partition }),
        },
        // At the creation: a sampler sees no others.
        links: linksTo(members),
      },
      parent ? trace.setSpanContext(ROOT_CONTEXT, parent) : ROOT_CONTEXT,
    )
    this.active = ofBatch(trace.setSpan(ROOT_CONTEXT, this.#span))
    this.context = this.#span.spanContext()
  }

  fail(error: unknown): void {
    markFailed(this.#span, error, this.#endTime())
  }

  end(): void {
    this.#span.end(this.#endTime())
  }

  #endTime(): HrTime {
    // Not now: what the callers have done meanwhile is no part of the batch.
    return toHrTime(toMicros(this.#clock, this.#batch.endedAt ?? clock.now()))
  }
}

/**
 * For a batch without a sampled member. With an empty context, everything the batch function does
 * would begin a trace of its own, here and in the services it calls.
 */
export function unsampledContext(): Context {
  const ids = randomBytes(24).toString('hex')
  const span = {
    traceId: ids.slice(0, 32),
    spanId: ids.slice(32),
    traceFlags: TraceFlags.NONE,
  }
  return ofBatch(trace.setSpanContext(ROOT_CONTEXT, span))
}

const spansOfBatches = new WeakSet<Span>()

function ofBatch(active: Context): Context {
  const span = trace.getSpan(active)
  if (span) spansOfBatches.add(span)
  return active
}

/** For the leak detector: in a batch function only the span of the batch is to be active. */
export const activeSpan: ForeignStore = {
  name: '@opentelemetry/api',
  read: () => trace.getActiveSpan(),
  isEmpty: (span) => span === undefined || spansOfBatches.has(span as Span),
}

// Without attributes, which cost 0.3 µs each and which Jaeger does not show.
function linksTo(members: readonly ItemTrace[]): Link[] {
  return members.slice(0, MAX_LINKS).map(({ context }) => ({ context }))
}
