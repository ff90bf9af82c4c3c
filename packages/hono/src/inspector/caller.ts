import { tryCurrent } from '@heddle/context'
import { baseOf, ErrorBoundary } from '@heddle/context/engine'
import { isSpanContextValid, trace } from '@opentelemetry/api'

import { HttpScope } from '../http-scope.ts'
import { name } from '../version.ts'
import type { Member } from './wire.ts'

/** An id may come from a client. */
const MAX_LENGTH = 128

/** Who submits, as far as it is nobody's secret: names and ids. */
export function callerNow(): Omit<Member, 'submittedAt'> {
  const scope = tryCurrent()
  const owner = scope && baseOf(scope).owner
  const request = owner instanceof HttpScope ? owner.requestId : (owner ?? scope)?.id
  const route = owner instanceof HttpScope ? owner.route : undefined
  const traceId = telemetry.run('trace id', activeTraceId)
  return {
    ...(request === undefined ? {} : { request: request.slice(0, MAX_LENGTH) }),
    ...(route === undefined ? {} : { route }),
    ...(traceId === undefined ? {} : { trace: traceId }),
  }
}

/** A tracer that fails costs the id alone. */
const telemetry = new ErrorBoundary(`${name} inspector`)

function activeTraceId(): string | undefined {
  const span = trace.getActiveSpan()?.spanContext()
  return span && isSpanContextValid(span) ? span.traceId : undefined
}
