import { instrumentBatchers } from '@heddle/otel'
import { context, propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { turn } from '../../support/crank.ts'
import { watchProcess } from '../../support/faults.ts'
import { randomFrom } from '../../support/random.ts'
import { Measuring } from '../measuring.ts'
import { record, turnOff } from '../recording.ts'
import { outcomes } from './outcomes.ts'
import { unreliable } from './sabotage.ts'

beforeEach(turnOff)
afterEach(turnOff)

describe('telemetry that misbehaves at random (R11)', () => {
  it('changes nothing for callers and counters, whatever fails when', async () => {
    const expected = await outcomes()
    let warnings = 0
    const property = fc.asyncProperty(fc.integer(), async (seed) => {
      const random = randomFrom(seed)
      using watch = watchProcess()
      using recording = record({ global: false })
      await using measuring = new Measuring()
      const span = recording.tracer.startSpan('request')
      const baggage = propagation.createBaggage({ who: { value: 'app' } })
      const request = propagation.setBaggage(trace.setSpan(ROOT_CONTEXT, span), baggage)
      const manager = new AsyncLocalStorageContextManager().enable()
      context.setGlobalContextManager(unreliable(manager, random))
      try {
        using _on = instrumentBatchers({
          tracerProvider: unreliable(recording.provider, random),
          meterProvider: unreliable(measuring.provider, random),
          baggage: 'common',
        })
        expect(await manager.with(request, outcomes)).toEqual(expected)
        expect(await outcomes()).toEqual(expected)
        await turn()
      } finally {
        context.disable()
      }
      await measuring.provider.forceFlush()
      expect(watch.uncaught).toEqual([])
      expect(watch.culprits).toEqual([...new Set(watch.culprits)])
      warnings += watch.culprits.length
    })
    await fc.assert(property, { numRuns: 100, seed: 1_117 })
    // It did misbehave.
    expect(warnings).toBeGreaterThan(200)
  })
})
