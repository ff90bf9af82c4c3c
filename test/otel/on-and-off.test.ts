import { createBatcher } from '@heddle/core'
import { HeddleInstrumentation, instrumentBatchers } from '@heddle/otel'
import { context, metrics, trace, TraceFlags } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import otelPackage from '../../packages/otel/package.json' with { type: 'json' }
import { crank, sleep, turn } from '../support/crank.ts'
import { linksOf, micros, parentOf, record, type Recording, turnOff } from './recording.ts'

afterEach(() => {
  trace.disable()
  context.disable()
})

const cities = createBatcher<number, number>({ name: 'cities', run: (ids) => ids })

/** The names of the spans that one item gives. */
async function spansOfOne(recording: Recording): Promise<readonly string[]> {
  const before = recording.spans.length
  await cities.submit(1)
  await turn()
  return recording.spans
    .slice(before)
    .map(({ name }) => name)
    .toSorted()
}

const all = ['batch cities', 'execute cities', 'wait cities']

/** What `registerInstrumentations`, and so a NodeSDK, does with an instrumentation. */
function register(instrumentation: HeddleInstrumentation): void {
  instrumentation.setTracerProvider(trace.getTracerProvider())
  instrumentation.setMeterProvider(metrics.getMeterProvider())
  if (instrumentation.getConfig().enabled !== true) instrumentation.enable()
}

beforeEach(turnOff)

describe('instrumentBatchers', () => {
  it('records once when it is turned on twice, until both have turned it off', async () => {
    using recording = record()
    const first = instrumentBatchers()
    const second = instrumentBatchers()
    expect(await spansOfOne(recording)).toEqual(all)
    first[Symbol.dispose]()
    first[Symbol.dispose]()
    expect(await spansOfOne(recording)).toEqual(all)
    second[Symbol.dispose]()
    expect(await spansOfOne(recording)).toEqual([])
    using _ = instrumentBatchers()
    expect(await spansOfOne(recording)).toEqual(all)
  })

  it('records with an SDK that is there only later', async () => {
    using _ = instrumentBatchers()
    expect(await cities.submit(1)).toBe(1)
    using recording = record()
    expect(await spansOfOne(recording)).toEqual(all)
  })

  it('leaves the spans to the provider it was given', async () => {
    using global = record()
    using own = record({ global: false })
    using _ = instrumentBatchers({ tracerProvider: own.provider })
    using _hono = instrumentBatchers()
    expect(await spansOfOne(own)).toEqual(all)
    expect(global.names).toEqual([])
  })

  it('goes by the latest that says something', async () => {
    using recording = record()
    const parents = async (): Promise<unknown[]> => {
      const before = recording.spans.length
      await recording.request('GET /', () => cities.submit(1))
      await turn()
      const batches = recording.spans.slice(before).filter(({ name }) => name === 'batch cities')
      return batches.map((span) => parentOf(span) !== undefined)
    }
    using _first = instrumentBatchers({ parent: 'none' })
    using _second = instrumentBatchers()
    expect(await parents()).toEqual([false])
    using _third = instrumentBatchers({ parent: 'common' })
    expect(await parents()).toEqual([true])
  })

  it('is not there for a caller without an SDK, even one with a remote parent', async () => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
    using _ = instrumentBatchers()
    const active: unknown[] = []
    const seeing = createBatcher<number, number>({
      name: 'seeing',
      run(ids) {
        active.push(trace.getActiveSpan())
        return ids
      },
    })
    const remote = trace.setSpanContext(context.active(), {
      traceId: '0af7651916cd43dd8448eb211c80319c',
      spanId: 'b7ad6b7169203331',
      traceFlags: TraceFlags.SAMPLED,
    })
    expect(await context.with(remote, () => seeing.submit(1))).toBe(1)
    expect(active).toEqual([undefined])
  })

  it('knows nothing of an item from before, but its batch', async () => {
    using recording = record()
    const before = cities.submit(1)
    using _ = instrumentBatchers()
    const after = recording.request('GET /', () => cities.submit(2))
    await Promise.all([before, after])
    await turn()
    expect(recording.names).toEqual(['GET /', ...all].toSorted())
    const batch = recording.one('batch cities')
    expect(batch.attributes['heddle.batch.size']).toBe(2)
    expect(linksOf(batch).length).toBe(1)
    expect(recording.one('execute cities').attributes['heddle.item.index']).toBe(1)
    expect(batch.parentSpanContext).toBeUndefined()
  })

  it('ends what it has begun when it is turned off meanwhile, and begins nothing', async () => {
    using recording = record()
    const { run, calls } = crank<number>()
    const slow = createBatcher({ name: 'slow', run, maxBatchSize: 1 })
    const on = instrumentBatchers()
    const running = slow.submit(1)
    await turn()
    let queued = 0
    const waiting = slow.submit(2, { onTiming: (timing) => void (queued = timing.queued) })
    on[Symbol.dispose]()
    calls[0]?.finish([1])
    await running
    await turn()
    await sleep(5)
    calls[1]?.finish([2])
    await waiting
    await turn()
    expect(recording.names).toEqual(['batch slow', 'execute slow', 'wait slow', 'wait slow'])
    const [, wait] = recording.named('wait slow')
    expect(wait && micros(wait.duration)).toBeCloseTo(queued * 1000, -1)
  })

  it('rejects options that are not as described', () => {
    const turnOn =
      (options: object): (() => unknown) =>
      () =>
        instrumentBatchers(options)
    expect(turnOn({ parent: 'first' })).toThrow(
      "Expected `parent` to be 'common' or 'none', got 'first'",
    )
    expect(turnOn({ tracerProvider: {} })).toThrow(
      'Expected `tracerProvider` to be an object with a method `getTracer`, got an object',
    )
    expect(turnOn({ tracerProvider: null })).toThrow(
      'Expected `tracerProvider` to be an object with a method `getTracer`, got null',
    )
    expect(() => new HeddleInstrumentation({ parent: 'first' } as object)).toThrow(TypeError)
  })
})

describe('HeddleInstrumentation', () => {
  it('has the name and the version of its package', () => {
    const instrumentation = new HeddleInstrumentation({ enabled: false })
    expect(instrumentation.instrumentationName).toBe(otelPackage.name)
    expect(instrumentation.instrumentationVersion).toBe(otelPackage.version)
  })

  it('records once beside others, and until all are off', async () => {
    const one = new HeddleInstrumentation()
    register(one)
    using recording = record()
    const two = new HeddleInstrumentation()
    register(two)
    two.enable()
    const hono = instrumentBatchers()
    expect(await spansOfOne(recording)).toEqual(all)
    one.disable()
    two.disable()
    two.disable()
    expect(await spansOfOne(recording)).toEqual(all)
    hono[Symbol.dispose]()
    expect(await spansOfOne(recording)).toEqual([])
    two.enable()
    expect(await spansOfOne(recording)).toEqual(all)
    two.disable()
  })

  it('is off until it is enabled, if the config says so', async () => {
    using recording = record()
    const instrumentation = new HeddleInstrumentation({ enabled: false })
    expect(await spansOfOne(recording)).toEqual([])
    register(instrumentation)
    expect(await spansOfOne(recording)).toEqual(all)
    instrumentation.disable()
  })

  it('takes a provider and a config while it is on', async () => {
    using global = record()
    using own = record({ global: false })
    const instrumentation = new HeddleInstrumentation()
    instrumentation.setTracerProvider(own.provider)
    await global.request('GET /', () => spansOfOne(own))
    expect(own.one('batch cities').parentSpanContext).not.toBeUndefined()

    instrumentation.setConfig({ parent: 'none', tracerProvider: global.provider })
    expect(instrumentation.getConfig()).toMatchObject({ enabled: true, parent: 'none' })
    await global.request('GET /', () => spansOfOne(global))
    expect(global.one('batch cities').parentSpanContext).toBeUndefined()

    instrumentation.setTracerProvider(own.provider)
    expect(await spansOfOne(global)).toEqual(all)

    instrumentation.disable()
    expect(own.names).toEqual(all)
    expect(await spansOfOne(global)).toEqual([])
  })
})
