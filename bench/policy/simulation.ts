import { clock } from '@heddle/context/engine'
import { type Batcher, type BatcherOptions, createBatcher } from '@heddle/core'
import { virtualClock } from '@heddle/core/testing'

import { randomFrom } from '../../test/support/random.ts'
import type { Draw } from './arrivals.ts'
import { durationsOf, MAX_BATCH_SIZE, type Result, resultOf, type Service } from './service.ts'

/** The options by which a policy differs from another. */
export type Options = Pick<BatcherOptions<number, number>, 'linger' | 'maxWait' | 'maxConcurrency'>

/** Longer than any run, ms. */
const FOREVER = 1e9

/** What has been answered, and when. */
class Answers {
  readonly latencies: Float64Array
  readonly times: Float64Array
  count = 0

  constructor(size: number) {
    this.latencies = new Float64Array(size)
    this.times = new Float64Array(size)
  }

  get result(): Result {
    if (this.count < this.latencies.length) throw new Error(`Only ${this.count} were answered`)
    return resultOf(this.latencies, this.times)
  }

  async ask(batcher: Batcher<number, number>, input: number): Promise<void> {
    const submittedAt = clock.now()
    const answer = await batcher.submit(input)
    if (answer !== input) throw new Error(`Item ${input} got the answer of ${answer}`)
    const now = clock.now()
    // In the order of the answers: with deadlines or clients that wait, some submits have none yet.
    if (this.count < this.latencies.length) {
      this.latencies[this.count] = now - submittedAt
      this.times[this.count] = now
    }
    this.count += 1
  }
}

function batcherOf(service: Service, options: Options): Batcher<number, number> {
  const durationOf = durationsOf(service)
  return createBatcher<number, number>({
    name: 'simulated',
    maxBatchSize: MAX_BATCH_SIZE,
    maxQueueSize: Infinity,
    ...options,
    async run(inputs) {
      await wait(durationOf(inputs.length))
      return inputs
    },
  })
}

function wait(delay: number): Promise<void> {
  return new Promise((resolve) => void clock.setTimeout(resolve, delay))
}

/** Submits items at these times, ms, to a real batcher, in virtual time. */
export async function openLoop(
  arrivals: Float64Array,
  service: Service,
  options: Options,
): Promise<Result> {
  using time = virtualClock()
  const start = time.now()
  const answers = new Answers(arrivals.length)
  const batcher = batcherOf(service, options)
  const submit = (n: number): void => {
    const at = arrivals[n]
    if (at === undefined) return
    clock.setTimeout(
      () => {
        void answers.ask(batcher, n)
        submit(n + 1)
      },
      Math.max(0, start + at - time.now()),
    )
  }
  submit(0)
  await time.advance(FOREVER)
  return answers.result
}

/** So many clients that ask a real batcher, think, and ask again, in virtual time. */
export async function closedLoop(
  clients: number,
  think: Draw,
  answered: number,
  service: Service,
  options: Options,
): Promise<Result> {
  using time = virtualClock()
  const random = randomFrom(clients)
  const answers = new Answers(answered)
  const batcher = batcherOf(service, options)
  for (let n = 0; n < clients; n += 1) void client(n)
  await time.advance(FOREVER)
  return answers.result

  async function client(n: number): Promise<void> {
    // Half of them later: all at once they would stay together by luck.
    await wait(5 * (n % 2))
    while (answers.count < answered) {
      await wait(think(random))
      await answers.ask(batcher, n)
    }
  }
}
