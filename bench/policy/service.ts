import { randomFrom } from '../../test/support/random.ts'

/** How long a batch of n items takes: S(n) = fixed + perItem · n, in ms. */
export interface Service {
  readonly fixed: number
  readonly perItem: number
  /** The most by which a batch is faster or slower than that, a share of it. */
  readonly noise: number
}

export const MAX_BATCH_SIZE = 32

/** What callers had of a run. */
export interface Result {
  /** ms from submit to answer. */
  readonly mean: number
  readonly p99: number
  readonly perSecond: number
}

/** The first of them find the policies without experience, and the queue empty. */
const WARM_UP = 0.1

/** Draws how long each batch takes, in ms, the same in each run. */
export function durationsOf({ fixed, perItem, noise }: Service): (size: number) => number {
  const random = randomFrom(99)
  return (size) => (fixed + perItem * size) * (1 + noise * (2 * random() - 1))
}

/** Requests per ms at which a batcher with so many slots is busy for this share of the time, with full batches. */
export function rateAt(load: number, { fixed, perItem }: Service, slots: number): number {
  return (slots * load * MAX_BATCH_SIZE) / (fixed + perItem * MAX_BATCH_SIZE)
}

/**
 * @param latencies - ms, in the order of the submits or of the answers
 * @param answeredAt - ms, when each was answered
 */
export function resultOf(latencies: Float64Array, answeredAt: Float64Array): Result {
  const first = Math.floor(latencies.length * WARM_UP)
  const counted = latencies.slice(first).toSorted()
  let [begin, end] = [Infinity, 0]
  for (const time of answeredAt.subarray(first)) {
    begin = Math.min(begin, time)
    end = Math.max(end, time)
  }
  return {
    mean: counted.reduce((sum, latency) => sum + latency, 0) / counted.length,
    p99: counted[Math.floor(counted.length * 0.99)] ?? Number.NaN,
    perSecond: (counted.length / (end - begin)) * 1e3,
  }
}

/** The mean of several runs. */
export function meanOf(results: readonly Result[]): Result {
  const mean = (value: (result: Result) => number): number =>
    results.reduce((sum, result) => sum + value(result), 0) / results.length
  return {
    mean: mean((result) => result.mean),
    p99: mean((result) => result.p99),
    perSecond: mean((result) => result.perSecond),
  }
}
