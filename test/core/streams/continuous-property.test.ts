import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { type Action, type Make, RandomRun } from './random-run.ts'

const index = fc.nat({ max: 9 })
const make = fc.constantFrom<Make>('nothing', 'chunk', 'chunk', 'chunks', 'done', 'error')
const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('stream' as const),
      partition: fc.constantFrom('p', 'q'),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('step' as const),
      which: index,
      makes: fc.array(make, { minLength: 1, maxLength: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('fail' as const), which: index }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('take' as const), who: index }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('leave' as const), who: index }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('wait' as const) }) },
)

describe('a continuous batcher, whatever happens in whatever order', () => {
  it('gives every consumer its own chunks and one end, every state its end, and keeps its bounds', async () => {
    const property = fc.asyncProperty(
      fc.array(action, { minLength: 1, maxLength: 60, size: 'max' }),
      async (actions) => {
        const run = new RandomRun()
        using _clock = run.clock
        for (const one of actions) await run.do(one)
        await run.end()
        expect(run.consumers.length).toBeLessThanOrEqual(actions.length)
      },
    )
    await fc.assert(property, { numRuns: 200, seed: 4_711 })
  })
})
