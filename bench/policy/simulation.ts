import { clock } from '@heddle/context/engine'
import { type BatcherOptions, createBatcher } from '@heddle/core'
import { virtualClock } from '@heddle/core/testing'

import type { Random } from '../../test/support/random.ts'
import type { Result, Service } from './service.ts'

export type Policy = Omit<BatcherOptions<number, number>, 'name' | 'run'>

/** Runs in virtual time what arrives at these times, ms, through a real batcher. */
export async function open(
  arrivals: Float64Array,
  service: Service,
  policy: Policy,
): Promise<Result> {
  using time = virtualClock()
  const start = time.now()
  const batcher = batcherOf(service, policy)
  const latencies = new Float64Array(arrivals.length)
  let answered = 0
  for (const [n, at] of arrivals.entries()) {
    await time.advance(Math.max(0, start + at - time.now()))
    const submittedAt = time.now()
    void batcher.submit(n).then((answer) => {
      if (answer !== n) throw new Error(`Item ${n} got the answer of ${answer}`)
      latencies[n] = time.now() - submittedAt
      answered += 1
    })
  }
  while (answered < arrivals.length) await time.advance(1)
  return summary(latencies, batcher.stats().batches, time.now() - start)
}
