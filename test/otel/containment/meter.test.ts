import { createBatcher } from '@heddle/core'
import { instrumentBatchers } from '@heddle/otel'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { turn } from '../../support/crank.ts'
import { watchProcess } from '../../support/faults.ts'
import { Measuring } from '../measuring.ts'
import { turnOff } from '../recording.ts'
import { outcomes } from './outcomes.ts'
import { breaks, METER_METHODS, sabotaged } from './sabotage.ts'

beforeEach(turnOff)
afterEach(turnOff)

describe('a meter', () => {
  it.each(METER_METHODS.flatMap((method) => breaks.map(([how, fail]) => ({ method, how, fail }))))(
    'whose $method $how changes nothing for anybody',
    async ({ method, fail }) => {
      const expected = await outcomes()
      using watch = watchProcess()
      await using measuring = new Measuring()
      using _on = instrumentBatchers({ meterProvider: sabotaged(measuring.provider, method, fail) })
      expect(await outcomes()).toEqual(expected)
      expect(await outcomes()).toEqual(expected)
      await measuring.provider.forceFlush()
      expect(watch.uncaught).toEqual([])
      expect(watch.culprits).toEqual([...new Set(watch.culprits)])
      for (const culprit of watch.culprits) expect(culprit).toMatch(/^@heddle\/otel metrics /)
    },
  )

  it('of which one instrument fails measures with the others, and makes each once', async () => {
    await using measuring = new Measuring()
    const made: unknown[] = []
    const meterProvider = sabotaged(
      measuring.provider,
      'createHistogram',
      () => {
        throw new Error('meter')
      },
      ([name]) => {
        made.push(name)
        return name === 'heddle.item.time_in_queue'
      },
    )
    using _on = instrumentBatchers({ meterProvider })
    const cities = createBatcher<number, number>({ name: 'partly', run: (ids) => ids })
    await cities.submit(1)
    await cities.submit(2)
    await turn()
    expect(made).toHaveLength(4)
    expect(await measuring.read('heddle.items', 'partly')).toMatchObject([{ value: 2 }])
    expect(await measuring.histogram('heddle.batch.size', 'partly')).toMatchObject({ count: 2 })
    expect(await measuring.read('heddle.queue.size', 'partly')).toMatchObject([{ value: 0 }])
  })

  it('whose histograms throw counts all the same', async () => {
    using watch = watchProcess()
    await using measuring = new Measuring()
    const meterProvider = sabotaged(measuring.provider, 'record', () => {
      throw new Error('meter')
    })
    using _on = instrumentBatchers({ meterProvider })
    const cities = createBatcher<number, number>({ name: 'counted', run: (ids) => ids })
    await cities.submit(1)
    await turn()
    expect(await measuring.read('heddle.items', 'counted')).toMatchObject([{ value: 1 }])
    expect(watch.culprits).toEqual([
      '@heddle/otel metrics heddle.batch.duration',
      '@heddle/otel metrics heddle.batch.size',
      '@heddle/otel metrics heddle.item.duration',
      '@heddle/otel metrics heddle.item.time_in_queue',
    ])
  })

  it('that cannot observe is named, and the others can', async () => {
    using watch = watchProcess()
    const callbacks: ((result: { observe(value: number): void }) => void)[] = []
    await using measuring = new Measuring()
    const meter = measuring.provider.getMeter('test')
    using _on = instrumentBatchers({
      meterProvider: {
        getMeter: () =>
          Object.assign(Object.create(meter) as typeof meter, {
            createObservableUpDownCounter: () => ({
              addCallback: (callback: never) => void callbacks.push(callback),
            }),
          }),
      },
    })
    const cities = createBatcher<number, number>({ name: 'observed', run: (ids) => ids })
    await cities.submit(1)
    const observe = (): never => {
      throw new Error('observe')
    }
    expect(callbacks).toHaveLength(3)
    for (const callback of callbacks) callback({ observe })
    for (const callback of callbacks) callback({ observe })
    expect(watch.culprits).toEqual([
      '@heddle/otel metrics heddle.batch.active',
      '@heddle/otel metrics heddle.queue.capacity',
      '@heddle/otel metrics heddle.queue.size',
    ])
  })
})
