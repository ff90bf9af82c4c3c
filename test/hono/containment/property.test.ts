import { context, metrics, propagation, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { unreliable } from '../../otel/containment/sabotage.ts'
import { Measuring } from '../../otel/measuring.ts'
import { record, turnOff } from '../../otel/recording.ts'
import { turn } from '../../support/crank.ts'
import { watchProcess } from '../../support/faults.ts'
import { randomFrom } from '../../support/random.ts'
import { answers, appWith, EXPECTED, HEADERS } from './app.ts'

const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

function disable(): void {
  turnOff()
  for (const api of [trace, context, propagation, metrics]) api.disable()
}

beforeEach(turnOff)
afterEach(disable)

describe('telemetry that misbehaves at random (R11)', () => {
  it('changes no answer and keeps no scope open, whatever fails when', async () => {
    let warnings = 0
    const property = fc.asyncProperty(fc.integer(), async (seed) => {
      const random = randomFrom(seed)
      using watch = watchProcess()
      using recording = record({ global: false })
      await using measuring = new Measuring()
      const manager = new AsyncLocalStorageContextManager().enable()
      context.setGlobalContextManager(unreliable(manager, random))
      propagation.setGlobalPropagator(unreliable(new W3CTraceContextPropagator(), random))
      trace.setGlobalTracerProvider(unreliable(recording.provider, random))
      metrics.setGlobalMeterProvider(unreliable(measuring.provider, random))
      const app = appWith()
      const headers = { ...HEADERS, traceparent: TRACEPARENT }
      const got = await answers(app, async (path) => app.hono.request(path, { headers }))
      await turn()
      disable()
      expect(got).toEqual(EXPECTED)
      expect(watch.uncaught).toEqual([])
      expect(watch.culprits).toEqual([...new Set(watch.culprits)])
      warnings += watch.culprits.length
    })
    await fc.assert(property, { numRuns: 100, seed: 1_117 })
    // It did misbehave.
    expect(warnings).toBeGreaterThan(200)
  })
})
