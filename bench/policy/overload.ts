import { clock } from '@heddle/context/engine'
import { createBatcher } from '@heddle/core'
import { virtualClock } from '@heddle/core/testing'

import { poisson } from './arrivals.ts'
import { isQuick, service } from './scenarios.ts'
import { durationsOf, MAX_BATCH_SIZE, rateAt, type Service } from './service.ts'

export interface Overload {
  readonly noise: number
  /** Answers within the deadline, as a share of what the slot can do. */
  readonly goodput: number
  /** Items that were run though their caller had gone while they waited. */
  readonly wasted: number
  /** Items that were run, and answered too late. */
  readonly late: number
}

/** ms */
const DEADLINE = 50
const LASTS = isQuick ? 2_000 : 20_000

/** Twice the traffic that a slot can do, each item with a deadline. */
export async function overload(noise: number, linger: 0 | 'auto'): Promise<Overload> {
  using time = virtualClock()
  const noisy: Service = { ...service, noise }
  const durationOf = durationsOf(noisy)
  const rate = rateAt(2, noisy, 1)
  const counts = { inTime: 0, wasted: 0, late: 0 }
  const batcher = createBatcher<number, number>({
    name: 'overloaded',
    maxBatchSize: MAX_BATCH_SIZE,
    linger,
    timeout: DEADLINE,
    async run(submits, batch) {
      counts.wasted += batch.items.filter(({ signal }) => signal.aborted).length
      await new Promise<void>((resolve) => {
        clock.setTimeout(resolve, durationOf(submits.length))
      })
      counts.late += submits.filter((submittedAt) => clock.now() - submittedAt > DEADLINE).length
      return submits
    },
  })
  const start = time.now()
  for (const at of poisson(rate, Math.floor(rate * LASTS), 1)) {
    await time.advance(Math.max(0, start + at - time.now()))
    batcher.submit(time.now()).then(
      () => (counts.inTime += 1),
      () => {},
    )
  }
  const capacity = rateAt(1, noisy, 1) * (time.now() - start)
  await time.advance(2 * DEADLINE)
  const { wasted, late } = counts
  return { noise, goodput: counts.inTime / capacity, wasted, late }
}

export interface Neighbour {
  /** ms from submit to answer of the tenant with little traffic. */
  readonly p99: number
  /** ms that a full batch takes. */
  readonly cycle: number
}

/** A tenant beside one with 100 × its traffic, which is more than the slot can do. */
export async function neighbour(linger: 0 | 'auto'): Promise<Neighbour> {
  using time = virtualClock()
  const durationOf = durationsOf(service)
  const batcher = createBatcher<{ readonly tenant: string }, null>({
    name: 'shared',
    maxBatchSize: MAX_BATCH_SIZE,
    linger,
    tenantBy: ({ tenant }) => tenant,
    async run(inputs) {
      await new Promise<void>((resolve) => {
        clock.setTimeout(resolve, durationOf(inputs.length))
      })
      return inputs.map(() => null)
    },
  })
  const latencies: number[] = []
  const rate = rateAt(1.5, service, 1)
  const start = time.now()
  let n = 0
  for (const at of poisson(rate, Math.floor(rate * LASTS), 2)) {
    await time.advance(Math.max(0, start + at - time.now()))
    const submittedAt = time.now()
    const isLight = (n += 1) % 101 === 0
    batcher.submit({ tenant: isLight ? 'light' : 'heavy' }).then(
      () => {
        if (isLight) latencies.push(time.now() - submittedAt)
      },
      () => {
        if (isLight) latencies.push(Infinity)
      },
    )
  }
  await time.advance(LASTS)
  const sorted = latencies.toSorted((a, b) => a - b)
  const p99 = sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN
  return { p99, cycle: service.fixed + service.perItem * MAX_BATCH_SIZE }
}
