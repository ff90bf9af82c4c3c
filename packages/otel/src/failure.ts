import { describe } from '@heddle/context/engine'
import { isBatcherError, type SettledItem } from '@heddle/core'
import { type Exception, type HrTime, type Span, SpanStatusCode } from '@opentelemetry/api'
import { ATTR_ERROR_TYPE, ERROR_TYPE_VALUE_OTHER } from '@opentelemetry/semantic-conventions'

import { ERROR_ABORTED, ERROR_CLOSED, ERROR_DEADLINE_EXCEEDED, ERROR_QUEUE_FULL } from './names.ts'

/** Marks the span of an item that was rejected. The exception is there only if it is the item's own. */
export function markItemFailed(span: Span, item: SettledItem, time: HrTime): void {
  const { error } = item
  const engineType = engineTypeOf(item)
  if (engineType === undefined) markFailed(span, error, time)
  else setError(span, engineType, messageOf(error))
}

/** Marks the span of what failed by itself, and records the exception there. */
export function markFailed(span: Span, error: unknown, time: HrTime): void {
  setError(span, classOf(error), messageOf(error))
  span.recordException(exceptionOf(error), time)
}

/** The `error.type` of an item that was rejected. */
export function errorTypeOf(item: SettledItem): string {
  return engineTypeOf(item) ?? classOf(item.error)
}

/** The `error.type` if the engine or the caller rejected the item; `undefined` for its own error. */
function engineTypeOf({ kind, error }: SettledItem): string | undefined {
  if (kind === 'aborted') return ERROR_ABORTED
  if (kind === 'item') return undefined
  if (isBatcherError(error)) {
    const { code, cause } = error
    if (code === 'QUEUE_FULL') return ERROR_QUEUE_FULL
    if (code === 'DEADLINE_EXCEEDED') return ERROR_DEADLINE_EXCEEDED
    if (code === 'BATCHER_CLOSED') return ERROR_CLOSED
    // As on the span of the batch, where the exception is.
    return classOf(isError(cause) ? cause : error)
  }
  return classOf(error)
}

function setError(span: Span, type: string, message: string): void {
  span.setAttribute(ATTR_ERROR_TYPE, type)
  span.setStatus({ code: SpanStatusCode.ERROR, message })
}

// An app may reject with anything: a Proxy that is revoked, an Error whose getters throw. The span ends and
// the metrics count all the same.

/** The class of an error; what is no Error, or cannot be read, has none. */
export function classOf(error: unknown): string {
  const type = readOf(error, ({ name, constructor }) =>
    // A subclass that sets no name of its own has the one of `Error`.
    name === 'Error' ? constructor.name : name,
  )
  return typeof type === 'string' && type !== '' ? type : ERROR_TYPE_VALUE_OTHER
}

function messageOf(error: unknown): string {
  try {
    return String(error instanceof Error ? error.message : error)
  } catch {
    return describe(error)
  }
}

/** The error as it is, if a tracer can read it. */
function exceptionOf(error: unknown): Exception {
  const text = readOf(error, ({ name, message, stack }) => `${name} ${message} ${stack}`)
  return text === undefined ? messageOf(error) : (error as Error)
}

/** What `read` finds in an Error; `undefined` in anything else, and where it throws. */
function readOf<R>(error: unknown, read: (error: Error) => R): R | undefined {
  try {
    return error instanceof Error ? read(error) : undefined
  } catch {
    return undefined
  }
}

function isError(value: unknown): value is Error {
  return readOf(value, () => true) === true
}
