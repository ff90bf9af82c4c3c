import { instrument } from '@heddle/core'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { turn } from '../../support/crank.ts'
import { watchProcess } from '../../support/faults.ts'
import { randomFrom } from '../../support/random.ts'
import { misbehavingHooks } from './misbehaving.ts'
import { type Action, observe, witness } from './observed.ts'

const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('submit' as const),
      to: fc.constantFrom('plain', 'shared', 'stream', 'continuous'),
      input: fc.nat({ max: 7 }),
      timeout: fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('end' as const),
      which: fc.nat({ max: 3 }),
      how: fc.constantFrom('well', 'well', 'item', 'short', 'throw'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('leave' as const), who: fc.nat(20) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('wait' as const),
      time: fc.integer({ min: 1, max: 4 }),
    }),
  },
)

/** How items end in it, sorted. */
const ENDINGS = [
  'BATCH_FAILED',
  'DEADLINE_EXCEEDED',
  'QUEUE_FULL',
  'RESULT_MISMATCH',
  'fails: undefined, left',
  'fails: undefined, odd',
  'gets',
]

describe('hooks that misbehave at random (R11)', () => {
  it('change nothing for callers, batch functions and counters, whatever they do', async () => {
    let warnings = 0
    const endings = new Set<string>()
    const property = fc.asyncProperty(
      fc.array(action, { minLength: 1, maxLength: 40, size: 'max' }),
      fc.integer(),
      fc.integer({ min: 1, max: 3 }),
      async (actions, seed, count) => {
        using watch = watchProcess()
        const expected: string[] = []
        const alone = instrument(witness(expected))
        const without = await observe(actions)
        alone[Symbol.dispose]()

        const random = randomFrom(seed)
        const got: string[] = []
        const added: Disposable[] = []
        for (let n = 0; n < count; n += 1) {
          added.push(instrument(misbehavingHooks(random, `bad ${n}`)))
          if (n === 0) added.push(instrument(witness(got)))
        }
        const beside = await observe(actions)
        for (const hooks of added) hooks[Symbol.dispose]()
        expect(beside).toEqual(without)
        expect(got).toEqual(expected)
        await turn()
        expect(watch.uncaught).toEqual([])
        expect(new Set(watch.culprits).size).toBe(watch.culprits.length)
        warnings += watch.culprits.length
        for (const line of without) {
          for (const ending of ENDINGS) if (line.includes(ending)) endings.add(ending)
        }
      },
    )
    await fc.assert(property, { numRuns: 300, seed: 1_117 })
    // They did misbehave, and on every path.
    expect(warnings).toBeGreaterThan(500)
    expect([...endings].toSorted()).toEqual(ENDINGS)
  })
})
