/**
 * Clients that ask, think, and ask again, on the real clock: natural batching and `'auto'` in turns. Prints a line of
 * JSON per think time.
 *
 *     node bench/policy/real-clock.ts --quick
 */
import { setTimeout as sleep } from 'node:timers/promises'

import { createBatcher } from '@heddle/core'

import { median } from '../measure.ts'

const CLIENTS = 16
/** ms that a batch takes, whatever its size. */
const RUN_TIME = 10
/** Half of the clients start so many ms later: all at once they would stay together by luck. */
const STAGGER = 5

/** What `--json` prints for a think time. */
export interface RealClockResult {
  readonly runtime: string
  /** ms */
  readonly think: number
  /** Requests per second, medians. */
  readonly natural: number
  readonly auto: number
}

async function perSecond(linger: 0 | 'auto', think: number, lasts: number): Promise<number> {
  await using batcher = createBatcher({
    name: 'real',
    linger,
    run: async (inputs: readonly number[]) => {
      await sleep(RUN_TIME)
      return inputs
    },
  })
  let answered = 0
  const stop = new AbortController()
  const clients = Array.from({ length: CLIENTS }, async (_, n) => {
    await sleep(STAGGER * (n % 2))
    while (!stop.signal.aborted) {
      await sleep(think)
      await batcher.submit(n)
      answered += 1
    }
  })
  // It has to learn first.
  await sleep(lasts / 2)
  const before = answered
  const since = performance.now()
  await sleep(lasts)
  const result = ((answered - before) / (performance.now() - since)) * 1e3
  stop.abort()
  await Promise.all(clients)
  return result
}

export async function main(): Promise<void> {
  const isQuick = process.argv.includes('--quick')
  const [rounds, lasts] = isQuick ? [1, 1_000] : [5, 2_000]
  for (const think of [1, 3]) {
    const results = { natural: [] as number[], auto: [] as number[] }
    for (let round = 0; round < rounds; round += 1) {
      results.natural.push(await perSecond(0, think, lasts))
      results.auto.push(await perSecond('auto', think, lasts))
    }
    const result: RealClockResult = {
      runtime: process.versions['bun'] ? 'Bun' : 'Node',
      think,
      natural: median(results.natural),
      auto: median(results.auto),
    }
    console.log(JSON.stringify(result))
  }
}

await main()
