import { runCarrier, runRequest, toCarrier } from '@heddle/context'
import { instrumentBatchers } from '@heddle/otel'
import { context, ROOT_CONTEXT, trace } from '@opentelemetry/api'
import { describe, expect, it } from 'vitest'

import { record } from './recording.ts'

describe('a carrier', () => {
  it('takes the trace along', () => {
    using _recording = record()
    using _on = instrumentBatchers()
    const tracer = trace.getTracer('test')
    tracer.startActiveSpan('request', (span) => {
      const carrier = runRequest({ id: 'r1' }, () => toCarrier())
      const { traceId, spanId } = span.spanContext()
      expect(carrier.traceparent).toBe(`00-${traceId}-${spanId}-01`)
      span.end()
      const elsewhere = context.with(ROOT_CONTEXT, () =>
        runCarrier(carrier, () => trace.getSpanContext(context.active())),
      )
      expect(elsewhere).toMatchObject({ traceId, spanId, traceFlags: 1, isRemote: true })
    })
  })

  it('has none where there is no span, and needs none', () => {
    using _recording = record()
    using _on = instrumentBatchers()
    const carrier = runRequest({ id: 'r1' }, () => toCarrier())
    expect(carrier).not.toHaveProperty('traceparent')
    expect(runCarrier(carrier, () => trace.getActiveSpan())).toBeUndefined()
    const zeros = { ...carrier, traceparent: `00-${'0'.repeat(32)}-${'0'.repeat(16)}-01` }
    expect(runCarrier(zeros, () => trace.getActiveSpan())).toBeUndefined()
  })
})
