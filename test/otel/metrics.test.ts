import { createBatcher } from '@heddle/core'
import { virtualClock } from '@heddle/core/testing'
import { HeddleInstrumentation, instrumentBatchers } from '@heddle/otel'
import { metrics } from '@opentelemetry/api'
import { MeterProvider } from '@opentelemetry/sdk-metrics'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { crank, echo, ended, turn } from '../support/crank.ts'
import { Measuring } from './measuring.ts'
import { turnOff } from './recording.ts'

beforeEach(turnOff)
afterEach(turnOff)

describe('metrics', () => {
  it('tell how long items waited, how long they took, and how full batches were', async () => {
    using clock = virtualClock()
    await using measuring = new Measuring()
    metrics.setGlobalMeterProvider(measuring.provider)
    using _ = instrumentBatchers()
    const { run, calls } = crank<number, number>()
    const batcher = createBatcher({ name: 'measured', run, linger: 10 })
    const items = [1, 2, 3].map((n) => batcher.submit(n))
    await clock.advance(10)
    await clock.advance(20)
    calls[0]?.finish([1, 2, 3])
    await Promise.all(items)
    await clock.settle()

    const queue = await measuring.histogram('heddle.item.time_in_queue', 'measured')
    // Seconds.
    expect(queue).toMatchObject({ count: 3, sum: expect.closeTo(3 * 0.01) })
    const item = await measuring.histogram('heddle.item.duration', 'measured')
    expect(item).toMatchObject({ count: 3, sum: expect.closeTo(3 * 0.03) })
    expect(item.buckets.boundaries[0]).toBe(0.0005)
    const batch = await measuring.histogram('heddle.batch.duration', 'measured')
    expect(batch).toMatchObject({ count: 1, sum: expect.closeTo(0.02) })
    expect(await measuring.read('heddle.batch.size', 'measured')).toMatchObject([
      {
        attributes: { 'heddle.batcher.name': 'measured', 'heddle.batch.reason': 'linger' },
        value: { count: 1, sum: 3 },
      },
    ])
    expect(await measuring.read('heddle.items', 'measured')).toMatchObject([{ value: 3 }])
  })

  it('count items that failed by what was wrong', async () => {
    await using measuring = new Measuring()
    using _ = instrumentBatchers({ meterProvider: measuring.provider })
    const batcher = createBatcher({
      name: 'failing',
      maxQueueSize: 2,
      run: (inputs: readonly number[]) =>
        inputs.map((n) => (n < 0 ? new RangeError('negative') : n)),
    })
    await Promise.all([1, -1, 2].map((n) => ended(batcher.submit(n))))
    await turn()
    const points = await measuring.read('heddle.items', 'failing')
    const counts = points.map(({ attributes, value }) => [attributes['error.type'], value])
    expect(Object.fromEntries(counts)).toEqual({
      undefined: 1,
      RangeError: 1,
      queue_full: 1,
    })
    const durations = await measuring.read('heddle.item.duration', 'failing')
    expect(durations.map(({ attributes }) => attributes['error.type'])).toContain('queue_full')
  })

  it('show a batch that failed as such', async () => {
    await using measuring = new Measuring()
    using _ = instrumentBatchers({ meterProvider: measuring.provider })
    const run = (): never => {
      throw new RangeError('broken')
    }
    await ended(createBatcher({ name: 'broken', run }).submit(1))
    await turn()
    expect(await measuring.read('heddle.batch.duration', 'broken')).toMatchObject([
      { attributes: { 'error.type': 'RangeError' }, value: { count: 1 } },
    ])
  })

  it('observe how much waits, how much may, and what runs, of batchers made before, too', async () => {
    await using measuring = new Measuring()
    const { run, calls } = crank<number, number>()
    const options = { name: 'levels', run, maxBatchSize: 2, maxQueueSize: 10 }
    const batchers = [createBatcher(options), createBatcher(options)]
    using _ = instrumentBatchers({ meterProvider: measuring.provider })
    const items = batchers.flatMap((batcher) => [1, 2, 3, 4, 5].map((n) => batcher.submit(n)))
    await turn()
    const levels = async (name: string): Promise<unknown> =>
      (await measuring.read(name, 'levels')).map(({ value }) => value)
    // Both are one to the metrics.
    expect(await levels('heddle.queue.size')).toEqual([6])
    expect(await levels('heddle.queue.capacity')).toEqual([20])
    expect(await levels('heddle.batch.active')).toEqual([2])
    for (let index = 0; index < 6; index += 1) {
      calls[index]?.finish(calls[index]?.inputs ?? [])
      await turn()
      await turn()
    }
    await Promise.all(items)
    expect(await levels('heddle.queue.size')).toEqual([0])
    expect(await levels('heddle.batch.active')).toEqual([0])
  })

  it('go to an SDK that is there only later', async () => {
    using _ = instrumentBatchers()
    const batcher = createBatcher({ name: 'later', run: echo<number>().run })
    await batcher.submit(1)
    await using measuring = new Measuring()
    metrics.setGlobalMeterProvider(measuring.provider)
    await batcher.submit(2)
    await turn()
    expect(await measuring.read('heddle.items', 'later')).toMatchObject([{ value: 1 }])
  })

  it('go where the instrumentation is told', async () => {
    await using measuring = new Measuring()
    const instrumentation = new HeddleInstrumentation({ enabled: false })
    instrumentation.setMeterProvider(measuring.provider)
    instrumentation.enable()
    const batcher = createBatcher({ name: 'told', run: echo<number>().run })
    await batcher.submit(1)
    await turn()
    expect(await measuring.read('heddle.items', 'told')).toMatchObject([{ value: 1 }])
    instrumentation.disable()
    await batcher.submit(2)
    expect(await measuring.read('heddle.items', 'told')).toMatchObject([{ value: 1 }])
  })

  it('need a provider that is one', () => {
    const meterProvider = {} as MeterProvider
    expect(() => instrumentBatchers({ meterProvider })).toThrow('getMeter')
  })
})
