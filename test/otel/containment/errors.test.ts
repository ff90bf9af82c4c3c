import { createBatcher } from '@heddle/core'
import { instrumentBatchers } from '@heddle/otel'
import { SpanStatusCode } from '@opentelemetry/api'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { ended, turn } from '../../support/crank.ts'
import { thrown, watchProcess } from '../../support/faults.ts'
import { Measuring } from '../measuring.ts'
import { record, turnOff } from '../recording.ts'

beforeEach(turnOff)
afterEach(turnOff)

describe('an app that rejects with anything', () => {
  it.each(Object.entries(thrown))(
    'such as %s has its spans ended and its items counted',
    async (_name, make) => {
      using recording = record()
      using watch = watchProcess()
      await using measuring = new Measuring()
      using _on = instrumentBatchers({ meterProvider: measuring.provider })
      const cities = createBatcher<number, number>({
        name: 'odd',
        run() {
          throw make()
        },
      })
      expect(await ended(cities.submit(1))).toBe('BATCH_FAILED')
      await turn()
      expect(recording.names).toEqual(['batch odd', 'execute odd', 'wait odd'])
      expect(recording.one('batch odd').status.code).toBe(SpanStatusCode.ERROR)
      expect(recording.one('execute odd').status.code).toBe(SpanStatusCode.ERROR)
      expect(await measuring.read('heddle.items', 'odd')).toMatchObject([{ value: 1 }])
      expect(watch.culprits).toEqual([])
    },
  )

  it.each(Object.entries(thrown).filter(([what]) => what.startsWith('an Error')))(
    'such as %s for one item gives it to the caller, and ends its span',
    async (_name, make) => {
      using recording = record()
      using watch = watchProcess()
      using _on = instrumentBatchers()
      const error = make() as Error
      const cities = createBatcher<number, number>({ name: 'odd', run: () => [error] })
      expect(await cities.submit(1).catch((given: unknown) => given === error)).toBe(true)
      await turn()
      expect(recording.names).toEqual(['batch odd', 'execute odd', 'wait odd'])
      expect(recording.one('execute odd').status.code).toBe(SpanStatusCode.ERROR)
      expect(watch.culprits).toEqual([])
    },
  )
})
