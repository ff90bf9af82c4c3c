import { createBatcher } from '@heddle/core'
import { crank, virtualClock } from '@heddle/core/testing'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'

/** ms; from what nobody can measure to more than an hour. */
const times = fc.array(
  fc.oneof(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 0, max: 4_000_000 })),
  {
    minLength: 1,
    maxLength: 60,
  },
)

describe('what `stats()` says of times', () => {
  it('is right to 1/64 for each of them', async () => {
    await fc.assert(
      fc.asyncProperty(times, async (durations) => {
        using clock = virtualClock()
        const { calls, run } = crank<number, number>()
        await using batcher = createBatcher({ name: 'timed', run })
        for (const [index, duration] of durations.entries()) {
          const answer = batcher.submit(index)
          await clock.settle()
          await clock.advance(duration)
          calls[index]?.finish([index])
          await answer
        }
        const { run: found } = batcher.stats()
        const sorted = durations.toSorted((a, b) => a - b)
        for (const [name, share] of Object.entries({ p50: 0.5, p90: 0.9, p99: 0.99, max: 1 })) {
          const exact = sorted[Math.ceil(share * sorted.length) - 1] ?? 0
          const close = Math.min(exact, (2 ** 32 - 1) / 1e3)
          const off = Math.abs(found[name as keyof typeof found] - close)
          expect(off).toBeLessThanOrEqual(0.002 + close / 64)
        }
      }),
      { numRuns: 30 },
    )
  })

  it('counts each item of a batch by how long it waited', async () => {
    using clock = virtualClock()
    const { calls, run } = crank<number, number>()
    await using batcher = createBatcher({ name: 'timed', run, linger: 0 })
    const answers = [batcher.submit(0)]
    await clock.settle()
    answers.push(batcher.submit(1), batcher.submit(2))
    await clock.advance(10)
    answers.push(batcher.submit(3))
    await clock.advance(20)
    calls[0]?.finish([0])
    await clock.settle()
    calls[1]?.finish([1, 2, 3])
    await Promise.all(answers)
    // 0, 20, 30 and 30 ms.
    expect(batcher.stats().wait.mean).toBeCloseTo(20, 1)
    expect(batcher.stats().wait.p50).toBeCloseTo(20, 0)
    expect(batcher.stats().wait.max).toBeCloseTo(30, 1)
  })
})
