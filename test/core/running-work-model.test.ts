/**
 * R10 against a model: random values in keys of every rule, random submits of equal work, writes, callers
 * that leave and batches that end or fail. Each batch must see what the rules make of those who are in it
 * at its start, and each caller must get the answer of work that it may share.
 */
import { virtualClock } from '@heddle/core/testing'
import * as fc from 'fast-check'
import { expect, it } from 'vitest'

import { DOMAIN, KEYS, type Operation, RunningWork, type Values } from './model/running-work.ts'

const RUNS = 200
const STEPS = 50
const PEOPLE = 5

const whole = (to: number): fc.Arbitrary<number> => fc.integer({ min: 0, max: to })

/** Mostly alike, so that equal work meets. */
const value = fc.oneof(
  { weight: 3, arbitrary: fc.constant(1) },
  { weight: 1, arbitrary: whole(DOMAIN.length - 1) },
)
const person: fc.Arbitrary<Values> = fc
  .array(value, { minLength: KEYS, maxLength: KEYS })
  .map((indices) => indices.map((index) => DOMAIN[index]))

const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('submit' as const),
      who: whole(PEOPLE - 1),
      text: fc.constantFrom('a', 'b', 'c'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('write' as const),
      who: whole(PEOPLE - 1),
      key: whole(KEYS - 1),
      value,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('leave' as const, 'finish' as const, 'finish' as const, 'fail' as const),
      which: whole(9),
    }),
  },
)

it.each(['reject', 'bisect'] as const)(
  'shares what the model shares, where failed batches are treated by `%s`',
  async (onFailure) => {
    let shared = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(person, { minLength: PEOPLE, maxLength: PEOPLE }),
        fc.integer({ min: 1, max: 3 }),
        fc.array(operation, { maxLength: STEPS, size: 'max' }),
        async (people, maxConcurrency, steps) => {
          using clock = virtualClock()
          const work = new RunningWork(clock, people, { maxConcurrency, onFailure })
          for (const step of steps) await work.apply(step)
          await work.end()
          shared += work.joins
        },
      ),
      { numRuns: RUNS, seed: 4_711 },
    )
    // Else the property would say nothing.
    expect(shared).toBeGreaterThan(RUNS)
  },
)
