import { createBatcher } from '@heddle/core'
import { instrumentBatchers } from '@heddle/otel'
import { context, propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { ended, turn } from '../../support/crank.ts'
import { watchProcess } from '../../support/faults.ts'
import { idOf, linksOf, parentOf, record, turnOff } from '../recording.ts'
import { outcomes } from './outcomes.ts'
import { breaks, sabotaged, TRACER_METHODS } from './sabotage.ts'

beforeEach(turnOff)
afterEach(turnOff)

/** The same where an app has a span and baggage, as a request would. */
function inRequest<R>(fn: () => R): R {
  const span = trace.getTracer('app').startSpan('request')
  const baggage = propagation.createBaggage({ who: { value: 'app' } })
  try {
    return context.with(propagation.setBaggage(trace.setSpan(ROOT_CONTEXT, span), baggage), fn)
  } finally {
    span.end()
  }
}

describe('a tracer', () => {
  it.each(TRACER_METHODS.flatMap((method) => breaks.map(([how, fail]) => ({ method, how, fail }))))(
    'whose $method $how changes nothing for anybody (R11)',
    async ({ method, fail }) => {
      const expected = await outcomes()
      using watch = watchProcess()
      using recording = record()
      const tracerProvider = sabotaged(recording.provider, method, fail)
      using _on = instrumentBatchers({ tracerProvider, baggage: 'common' })
      expect(await inRequest(outcomes)).toEqual(expected)
      expect(await outcomes()).toEqual(expected)
      await turn()
      expect(watch.uncaught).toEqual([])
      // Each culprit once, and all of them ours.
      expect(watch.culprits).toEqual([...new Set(watch.culprits)])
      for (const culprit of watch.culprits) expect(culprit).toMatch(/^@heddle\/otel /)
    },
  )

  it('that throws is named', async () => {
    using watch = watchProcess()
    using recording = record()
    const fail = (): never => {
      throw new Error('tracer')
    }
    const tracerProvider = sabotaged(recording.provider, 'startSpan', fail)
    using _on = instrumentBatchers({ tracerProvider })
    await outcomes()
    expect(watch.culprits).toEqual(['@heddle/otel onSubmit'])
    expect(watch.warnings[0]?.message).toContain(
      '`onSubmit` of `@heddle/otel` failed: Error: tracer',
    )
  })

  it('that fails for the batch leaves the spans of its members', async () => {
    using recording = record()
    const tracerProvider = sabotaged(
      recording.provider,
      'startSpan',
      () => {
        throw new Error('tracer')
      },
      ([name]) => name === 'batch cities',
    )
    using _on = instrumentBatchers({ tracerProvider })
    const active: unknown[] = []
    const cities = createBatcher<number, number>({
      name: 'cities',
      run(ids) {
        active.push(trace.getActiveSpan()?.isRecording())
        trace.getTracer('app').startSpan('query').end()
        return ids
      },
    })
    await Promise.all([cities.submit(1), cities.submit(2)])
    await turn()
    // What the batch function does begins no trace of its own either.
    expect(active).toEqual([false])
    expect(recording.names).toEqual([
      'execute cities',
      'execute cities',
      'wait cities',
      'wait cities',
    ])
  })

  it.each(['wait', 'execute'])(
    'that fails for the %s of one item leaves the batch and the others',
    async (half) => {
      using recording = record()
      let made = 0
      const tracerProvider = sabotaged(
        recording.provider,
        'startSpan',
        () => {
          throw new Error('tracer')
        },
        ([name]) => name === `${half} cities` && (made += 1) === 2,
      )
      using _on = instrumentBatchers({ tracerProvider })
      const cities = createBatcher<number, number>({
        name: 'cities',
        run(ids) {
          trace.getTracer('app').startSpan('query').end()
          return ids
        },
      })
      await Promise.all([1, 2, 3].map((id) => cities.submit(id)))
      await turn()
      const batch = recording.one('batch cities')
      const waits = recording.named('wait cities')
      expect(parentOf(recording.one('query'))).toBe(idOf(batch))
      expect(linksOf(batch)).toEqual(waits.map(idOf))
      expect(waits).toHaveLength(half === 'wait' ? 2 : 3)
      expect(recording.named('execute cities')).toHaveLength(2)
    },
  )

  it('whose span cannot be marked as failed has it ended all the same', async () => {
    using recording = record()
    const tracerProvider = sabotaged(recording.provider, 'setStatus', () => {
      throw new Error('tracer')
    })
    using _on = instrumentBatchers({ tracerProvider })
    const cities = createBatcher<number, number>({
      name: 'cities',
      run: () => Promise.reject(new Error('no database')),
    })
    await ended(cities.submit(1))
    await turn()
    expect(recording.names).toEqual(['batch cities', 'execute cities', 'wait cities'])
  })

  it('that cannot be had is asked for again, and another one is not taken for it', async () => {
    using recording = record()
    let isBroken = true
    const tracerProvider = sabotaged(
      recording.provider,
      'getTracer',
      () => {
        throw new Error('provider')
      },
      () => isBroken,
    )
    using _on = instrumentBatchers({ tracerProvider })
    const cities = createBatcher<number, number>({ name: 'cities', run: (ids) => ids })
    await cities.submit(1)
    expect(recording.spans).toEqual([])
    isBroken = false
    await cities.submit(2)
    await turn()
    expect(recording.names).toContain('execute cities')
  })
})
