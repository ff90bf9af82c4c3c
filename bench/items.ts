/**
 * What an item costs: CPU time from submit to settlement with a batch function that does nothing,
 * beside DataLoader. Both flush after promise jobs, both start batches of at most 64, results are
 * checked, and the rounds of the two are interleaved, so that the ratio holds on a noisy machine.
 *
 *     npx -y pnpm@12 bench:items
 */
import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'

import { runRequest } from '@heddle/context'
import { createBatcher } from '@heddle/core'
import DataLoader from 'dataloader'

import { median, runtime } from './measure.ts'

const BURSTS = [1, 8, 32, 128]
const ITEMS_PER_ROUND = 50_000
const ROUNDS = 9

type Load = (n: number) => Promise<number>
type Caller = (load: () => Promise<number>) => Promise<number>

const heddle = createBatcher<number, number>({
  name: 'items',
  run: (inputs) => inputs,
  coalesce: 'microtask',
  // As DataLoader: as many batches at a time as there are.
  maxConcurrency: Infinity,
})
const loader = new DataLoader<number, number>(async (keys) => [...keys], {
  cache: false,
  maxBatchSize: 64,
})
const subjects: Record<string, Load> = {
  heddle: (n) => heddle.submit(n),
  dataloader: (n) => loader.load(n),
}

const storage = new AsyncLocalStorage<object>()
const callers: Record<string, Caller> = {
  'no store': (load) => load(),
  'a store each': (load) => storage.run({}, load),
  'a request scope each': (load) => runRequest({}, load),
}

/** ns of CPU time per item. */
async function round(load: Load, caller: Caller, burst: number): Promise<number> {
  const bursts = Math.ceil(ITEMS_PER_ROUND / burst)
  const before = process.cpuUsage()
  for (let n = 0; n < bursts; n += 1) {
    const promises: Promise<number>[] = []
    for (let index = 0; index < burst; index += 1) promises.push(caller(() => load(index)))
    const results = await Promise.all(promises)
    assert.equal(results[burst - 1], burst - 1)
  }
  const { user, system } = process.cpuUsage(before)
  return ((user + system) * 1e3) / (bursts * burst)
}

console.log(`CPU ns per item, medians of ${ROUNDS} interleaved rounds, ${runtime}\n`)
console.log('| callers | burst | heddle | DataLoader | ratio |')
console.log('| --- | --- | --- | --- | --- |')
for (const [callerName, caller] of Object.entries(callers)) {
  for (const burst of BURSTS) {
    const times: Record<string, number[]> = { heddle: [], dataloader: [] }
    const ratios: number[] = []
    for (let n = 0; n <= ROUNDS; n += 1) {
      const pair: number[] = []
      for (const [name, load] of Object.entries(subjects)) {
        pair.push(await round(load, caller, burst))
        // The first round warms up.
        if (n > 0) times[name]?.push(pair.at(-1) ?? 0)
      }
      if (n > 0) ratios.push((pair[0] ?? 0) / (pair[1] ?? 1))
    }
    const row = [median(times['heddle'] ?? []), median(times['dataloader'] ?? [])]
    console.log(
      `| ${callerName} | ${burst} | ${row.map((ns) => ns.toFixed(0)).join(' | ')} | ${median(ratios).toFixed(2)} |`,
    )
  }
}
