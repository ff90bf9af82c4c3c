import { createBatcher } from '@heddle/core'
import { instrumentBatchers } from '@heddle/otel'
import { context, propagation } from '@opentelemetry/api'
import { describe, expect, it } from 'vitest'

import { turn } from '../support/crank.ts'
import { record } from './recording.ts'

/** What a batch function finds as baggage where the callers have these. */
async function baggageOf(
  callers: readonly (Readonly<Record<string, string>> | undefined)[],
  options: Parameters<typeof instrumentBatchers>[0],
): Promise<unknown> {
  using recording = record()
  using _ = instrumentBatchers(options)
  let found: unknown
  const batcher = createBatcher({
    name: 'carriers',
    run(inputs: readonly number[]) {
      const entries = propagation.getActiveBaggage()?.getAllEntries()
      found = entries && Object.fromEntries(entries.map(([key, { value }]) => [key, value]))
      return inputs
    },
  })
  const submit = (entries: Readonly<Record<string, string>> | undefined): Promise<unknown> =>
    recording.request('GET /', () => {
      if (entries === undefined) return batcher.submit(1)
      const baggage = propagation.createBaggage(
        Object.fromEntries(Object.entries(entries).map(([key, value]) => [key, { value }])),
      )
      const active = propagation.setBaggage(context.active(), baggage)
      return context.with(active, () => batcher.submit(1))
    })
  await Promise.all(callers.map(submit))
  await turn()
  return found
}

describe('the baggage of a batch', () => {
  const callers = [
    { region: 'eu', user: 'ada', plan: 'free' },
    { region: 'eu', user: 'eve', plan: 'free' },
    { region: 'eu', user: 'bob' },
  ]

  it('is nobody’s', async () => {
    expect(await baggageOf(callers, {})).toBeUndefined()
  })

  it('is what all members have with the same value, if that is wanted', async () => {
    expect(await baggageOf(callers, { baggage: 'common' })).toEqual({ region: 'eu' })
  })

  it('has nothing in common with a caller who has none', async () => {
    expect(await baggageOf([...callers, undefined], { baggage: 'common' })).toEqual({})
  })

  it('has a rule that is one of the two', () => {
    expect(() => instrumentBatchers({ baggage: 'all' as never })).toThrow("'common' or 'none'")
  })
})
