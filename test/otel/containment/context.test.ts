import { runCarrier, runRequest, toCarrier } from '@heddle/context'
import { createBatcher } from '@heddle/core'
import { instrumentBatchers } from '@heddle/otel'
import {
  type Context,
  context,
  type ContextManager,
  propagation,
  ROOT_CONTEXT,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { turn } from '../../support/crank.ts'
import { watchProcess } from '../../support/faults.ts'
import { record, turnOff } from '../recording.ts'
import { outcomes } from './outcomes.ts'

beforeEach(turnOff)
afterEach(turnOff)

describe('a context manager', () => {
  const managing = (broken: Partial<ContextManager>): ContextManager =>
    Object.assign(new AsyncLocalStorageContextManager(), broken)

  const boom = (): never => {
    throw new Error('context manager')
  }
  const managers: readonly [string, Partial<ContextManager>][] = [
    ['whose `active` throws', { active: boom }],
    ['whose `active` returns undefined', { active: () => undefined as unknown as Context }],
    ['whose `with` throws', { with: boom }],
    ['whose `with` does not call', { with: (() => undefined) as ContextManager['with'] }],
    [
      'whose `with` throws afterwards',
      {
        with: ((_active: Context, fn: () => unknown) => {
          fn()
          boom()
        }) as ContextManager['with'],
      },
    ],
    [
      'whose `with` calls twice',
      {
        with: ((_active: Context, fn: () => unknown) => {
          fn()
          return fn()
        }) as ContextManager['with'],
      },
    ],
    [
      'whose `with` is async',
      { with: (async (_active: Context, fn: () => unknown) => fn()) as ContextManager['with'] },
    ],
  ]

  it.each(managers)('%s changes nothing for anybody', async (_name, broken) => {
    const expected = await outcomes()
    using watch = watchProcess()
    using _recording = record()
    using _on = instrumentBatchers({ baggage: 'common' })
    context.disable()
    context.setGlobalContextManager(managing(broken))
    expect(await outcomes()).toEqual(expected)
    await turn()
    expect(watch.uncaught).toEqual([])
    expect(watch.culprits).toEqual([...new Set(watch.culprits)])
  })

  it('that throws costs the batch function its active span, and the batch no other one', async () => {
    using recording = record()
    using _on = instrumentBatchers()
    context.disable()
    // Not for the SDK, which exports in a context without a span.
    const throwing = (active: Context, fn: () => unknown): unknown =>
      trace.getSpan(active) === undefined ? fn() : boom()
    context.setGlobalContextManager(managing({ with: throwing as ContextManager['with'] }))
    const active: unknown[] = []
    const cities = createBatcher<number, number>({
      name: 'cities',
      run(ids) {
        active.push(trace.getActiveSpan())
        return ids
      },
    })
    expect(await cities.submit(1)).toBe(1)
    await turn()
    expect(active).toEqual([undefined])
    expect(recording.names).toEqual(['batch cities', 'execute cities', 'wait cities'])
    // Its own failure would be the batch function's.
    expect(recording.one('batch cities').status.code).toBe(SpanStatusCode.UNSET)
  })

  it.each(managers)('%s takes no carrier away', (_name, broken) => {
    using recording = record()
    using _on = instrumentBatchers()
    const span = recording.tracer.startSpan('request')
    const carrier = context.with(trace.setSpan(ROOT_CONTEXT, span), () =>
      runRequest({ id: 'r1' }, () => toCarrier()),
    )
    expect(carrier).toHaveProperty('traceparent')
    context.disable()
    context.setGlobalContextManager(managing(broken))
    expect(runRequest({ id: 'r1' }, () => toCarrier())).toMatchObject({ id: 'r1' })
    let calls = 0
    expect(runCarrier(carrier, () => (calls += 1))).toBe(1)
    const failure = new Error('its own')
    expect(() =>
      runCarrier(carrier, () => {
        throw failure
      }),
    ).toThrow(failure)
  })

  it('with a span that makes no valid traceparent is left out of carriers', () => {
    using recording = record()
    using _on = instrumentBatchers()
    const valid = recording.tracer.startSpan('request').spanContext()
    const span = trace.wrapSpanContext({ ...valid, traceFlags: 0x1_ff })
    const carrier = context.with(trace.setSpan(ROOT_CONTEXT, span), () =>
      runRequest({ id: 'r1' }, () => toCarrier()),
    )
    expect(carrier).not.toHaveProperty('traceparent')
  })
})

describe('baggage', () => {
  it('that cannot be read is left out, and the batch is traced', async () => {
    using recording = record()
    using watch = watchProcess()
    using _on = instrumentBatchers({ baggage: 'common' })
    const baggage = {
      ...propagation.createBaggage(),
      getAllEntries(): never {
        throw new Error('baggage')
      },
    }
    const cities = createBatcher<number, number>({ name: 'cities', run: (ids) => ids })
    const caller = propagation.setBaggage(ROOT_CONTEXT, baggage)
    expect(await context.with(caller, () => cities.submit(1))).toBe(1)
    await turn()
    expect(recording.names).toEqual(['batch cities', 'execute cities', 'wait cities'])
    expect(watch.culprits).toEqual(['@heddle/otel baggage'])
  })
})
