/**
 * The engine against a reference model: random submits, aborts, deadlines, ends of batches and changes of
 * options over a virtual clock. After each step both must have started the same batches, in the same
 * order, with the same members and for the same reason, and every caller must have ended alike.
 */
import { virtualClock } from '@heddle/core/testing'
import * as fc from 'fast-check'
import { expect, it } from 'vitest'

import { Both, type Operation } from './both.ts'
import type { Settings } from './work.ts'

const RUNS = 150
const STEPS = 60

const plain: Settings = {
  maxBatchSize: 3,
  maxBatchCost: Infinity,
  maxConcurrency: 1,
  linger: 0,
  maxWait: 51,
  minBatchSize: 1,
  maxQueueSize: 100,
  ageing: 999,
  dedupes: false,
  hasTenants: false,
  onFailure: 'reject',
}

const whole = (from: number, to: number): fc.Arbitrary<number> => fc.integer({ min: from, max: to })

/**
 * ms at which something happens. All are multiples of 3 but the deadlines, so that no deadline is exactly
 * where the estimate of a run ends, which rounding would decide.
 */
const times = (from: number, to: number): fc.Arbitrary<number> => whole(from, to).map((n) => 3 * n)

/** What varies between the properties. */
interface Variety {
  readonly partitions?: number
  readonly tenants?: number
  readonly texts?: number
  readonly costs?: number
  readonly priorities?: fc.Arbitrary<number>
  readonly timeouts?: fc.Arbitrary<number>
  readonly patches?: fc.Arbitrary<Partial<Settings>>
  /** ms that a close leaves to what is there; 0 for no limit. */
  readonly closes?: fc.Arbitrary<number>
}

function operations(variety: Variety): fc.Arbitrary<Operation[]> {
  const names = (count = 1): fc.Arbitrary<string> => whole(0, count - 1).map((n) => `n${n}`)
  const submit = fc.record({
    partition: names(variety.partitions),
    tenant: names(variety.tenants),
    text: names(variety.texts),
    cost: whole(1, variety.costs ?? 1),
    priority: variety.priorities ?? fc.constant(1),
    timeout: variety.timeouts ?? fc.constant(0),
  })
  const how = fc.oneof(
    {
      weight: 3,
      arbitrary: fc.array(fc.constantFrom('ok' as const, 'error' as const), {
        minLength: 1,
        maxLength: 4,
      }),
    },
    { weight: 1, arbitrary: fc.constant('throw' as const) },
  )
  const operation: fc.Arbitrary<Operation> = fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant('submit' as const), submit }) },
    {
      weight: 3,
      arbitrary: fc.record({ do: fc.constant('finish' as const), which: whole(0, 9), how }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant('advance' as const), milliseconds: times(0, 10) }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('abort' as const), which: whole(0, 99) }) },
    ...(variety.closes
      ? [
          { weight: 1, arbitrary: fc.constant({ do: 'drain' as const }) },
          {
            weight: 1,
            arbitrary: fc.record({ do: fc.constant('close' as const), timeout: variety.closes }),
          },
        ]
      : []),
    ...(variety.patches
      ? [
          {
            weight: 1,
            arbitrary: fc.record({ do: fc.constant('configure' as const), patch: variety.patches }),
          },
        ]
      : []),
  )
  return fc.array(operation, { maxLength: STEPS, size: 'max' })
}

/** Rejects with the shortest sequence of operations after which the two differ. */
function compared(settings: fc.Arbitrary<Partial<Settings>>, variety: Variety): Promise<void> {
  const property = fc.asyncProperty(settings, operations(variety), async (own, steps) => {
    using clock = virtualClock()
    const both = new Both(clock, { ...plain, ...own })
    for (const step of steps) await both.apply(step)
    await both.end()
  })
  return fc.assert(property, { numRuns: RUNS, seed: 4_711 })
}

/** None mostly. */
const sometimes = (timeout: number): fc.Arbitrary<number> => fc.constantFrom(0, 0, timeout)

/** Never at the time of a deadline. */
const closings = fc.oneof(
  fc.constant(0),
  times(0, 6).map((n) => n + 2),
)

const sizes = { maxBatchSize: whole(1, 4), maxConcurrency: whole(1, 3) }

const cases: readonly [when: string, settings: fc.Arbitrary<Partial<Settings>>, Variety][] = [
  ['batches start as soon as they can', fc.record(sizes), {}],
  ['batches linger', fc.record({ ...sizes, linger: times(0, 7), maxWait: times(0, 13) }), {}],
  [
    'several slots wait for a least size',
    fc.record({
      maxBatchSize: whole(3, 5),
      maxConcurrency: whole(2, 3),
      minBatchSize: whole(2, 3),
      linger: times(0, 2),
    }),
    {},
  ],
  [
    'items cost different amounts',
    fc.record({ ...sizes, maxBatchCost: whole(2, 6) }),
    { costs: 6 },
  ],
  [
    'items have deadlines, which some cannot make',
    fc.record({ ...sizes, linger: times(0, 4) }),
    {
      timeouts: fc.oneof(
        fc.constant(0),
        times(0, 13).map((n) => n + 1),
      ),
    },
  ],
  [
    'there are partitions and priorities',
    fc.record({ ...sizes, linger: times(0, 4), ageing: times(0, 13) }),
    { partitions: 3, priorities: whole(0, 2) },
  ],
  [
    'tenants take turns, and share the queue',
    fc.record({
      ...sizes,
      hasTenants: fc.constant(true),
      maxQueueSize: whole(4, 12),
      maxBatchCost: whole(4, 8),
    }),
    { tenants: 3, partitions: 2, costs: 4, priorities: whole(0, 2) },
  ],
  [
    'equal items share their work',
    fc.record({ ...sizes, dedupes: fc.constant(true), maxQueueSize: whole(4, 20) }),
    { texts: 4, partitions: 2, priorities: whole(0, 2), timeouts: sometimes(19) },
  ],
  [
    'failed batches are run again in halves',
    fc.record({
      ...sizes,
      maxBatchSize: whole(2, 7),
      dedupes: fc.boolean(),
      onFailure: fc.constant('bisect' as const),
    }),
    { texts: 6, timeouts: sometimes(19) },
  ],
  [
    'options change on the way',
    fc.record(sizes),
    {
      partitions: 2,
      patches: fc.record(
        { ...sizes, linger: times(0, 4), maxWait: times(4, 13), maxQueueSize: whole(1, 20) },
        { requiredKeys: [] },
      ),
    },
  ],
  [
    'it drains and closes',
    fc.record({ ...sizes, linger: times(0, 7), dedupes: fc.boolean() }),
    { texts: 4, partitions: 2, timeouts: sometimes(19), closes: closings },
  ],
  [
    'all of it comes together',
    fc.record({
      ...sizes,
      maxBatchCost: whole(3, 9),
      maxQueueSize: whole(4, 20),
      ageing: times(0, 13),
      hasTenants: fc.boolean(),
      onFailure: fc.constantFrom('reject' as const, 'bisect' as const),
    }),
    {
      partitions: 2,
      tenants: 2,
      costs: 3,
      priorities: whole(0, 2),
      timeouts: sometimes(25),
      closes: closings,
    },
  ],
]

it.each(cases)('does what the reference does when %s', async (_when, settings, variety) => {
  await expect(compared(settings, variety)).resolves.toBeUndefined()
})
