import { ErrorBoundary } from '@heddle/context/engine'
import type { BatcherHooks, BatchInfo } from '@heddle/core'
import {
  type Context,
  context,
  ROOT_CONTEXT,
  type SpanContext,
  type Tracer,
} from '@opentelemetry/api'

import { commonBaggage, withBaggage } from './baggage.ts'
import { BatchSpan, unsampledContext } from './batch-span.ts'
import { ItemSpans, type ItemTrace } from './item-spans.ts'
import type { InstrumentBatchersOptions } from './options.ts'
import { isTracingSuppressed, SUPPRESSED, suppressedContext } from './suppression.ts'
import { tracerSource } from './tracer.ts'
import { UnsampledItem } from './unsampled-item.ts'
import { name, version } from './version.ts'

const tryTracer = tracerSource({ name, version })

/** What is kept of an item from its submit on; `undefined` where nothing is traced. */
type Note = ItemTrace | typeof SUPPRESSED | undefined

/**
 * Turns the life of batches into spans. What a tracer throws ends the hook and reaches nobody; where more than
 * that would be lost (the spans of other members, what is active in the batch function), it is contained here.
 */
export function createHooks(settings: () => InstrumentBatchersOptions): BatcherHooks<Note> {
  const boundary = new ErrorBoundary(name)
  return {
    name,

    enabled: () => tryTracer(settings().tracerProvider) !== undefined,

    onSubmit(item) {
      const tracer = tryTracer(settings().tracerProvider)
      if (tracer === undefined) return undefined
      const caller = context.active()
      if (isTracingSuppressed(caller)) return SUPPRESSED
      return UnsampledItem.of(caller) ?? ItemSpans.start(tracer, item, caller)
    },

    aroundBatch(batch, notes, next) {
      const { tracerProvider, parent, baggage } = settings()
      const tracer = tryTracer(tracerProvider)
      if (tracer === undefined) return next()
      const span = boundary.run('batch span', () => startBatchSpan(tracer, batch, notes, parent))
      const waiters = waitersOf(batch)
      for (const [member, note] of notes.entries()) {
        if (!isTraced(note)) continue
        const index = batch.places?.[member] ?? member
        try {
          note.execute(tracer, batch, { index, waiters: waiters?.get(index) }, span?.context)
        } catch (error) {
          boundary.report('execute span', error)
        }
      }
      const shared =
        baggage === 'common'
          ? boundary.run('baggage', () => commonBaggage(notes.map(callerOf)))
          : undefined
      const active = withBaggage(span?.active ?? unrecordedContext(notes), shared)
      const ended = boundary.enter('context manager', (fn) => context.with(active, fn), next)
      return span === undefined ? ended : endWith(span, ended)
    },

    onSettle(item, note) {
      if (isTraced(note)) note.settle(item)
    },
  }
}

function startBatchSpan(
  tracer: Tracer,
  batch: BatchInfo,
  notes: readonly Note[],
  parent: InstrumentBatchersOptions['parent'],
): BatchSpan | undefined {
  const members = notes.filter(isTraced)
  if (!members.some(({ isSampled }) => isSampled)) return undefined
  return new BatchSpan(tracer, batch, members, parent === 'none' ? undefined : commonParent(notes))
}

async function endWith(span: BatchSpan, ended: Promise<void>): Promise<void> {
  try {
    await ended
  } catch (error) {
    span.fail(error)
    throw error
  } finally {
    span.end()
  }
}

/** How many wait for each item, where one has several. */
function waitersOf({ places }: BatchInfo): ReadonlyMap<number, number> | undefined {
  if (places === undefined) return undefined
  const counts = new Map<number, number>()
  for (const place of places) counts.set(place, (counts.get(place) ?? 0) + 1)
  return counts
}

function callerOf(note: Note): Context | undefined {
  return isTraced(note) ? note.caller : undefined
}

/** The span in which all members were submitted, for example that of one GraphQL request. */
function commonParent([first, ...others]: readonly Note[]): SpanContext | undefined {
  const parent = isTraced(first) ? first.parent : undefined
  return others.every((note) => isTraced(note) && isSame(note.parent, parent)) ? parent : undefined
}

function isSame(a: SpanContext | undefined, b: SpanContext | undefined): boolean {
  return a?.spanId === b?.spanId && a?.traceId === b?.traceId
}

function isTraced(note: Note): note is ItemTrace {
  return note !== undefined && note !== SUPPRESSED
}

/** What the batch function runs in where nobody's trace can show it. */
function unrecordedContext(notes: readonly Note[]): Context {
  if (notes.every((note) => note === SUPPRESSED)) return suppressedContext
  return notes.some(isTraced) ? unsampledContext() : ROOT_CONTEXT
}
