/**
 * Runs many requests in one process, and fails if its heap grows or anything stays open:
 *
 *     node test/soak/requests.ts           100,000 requests, after 50,000 to warm up
 *     bun test/soak/requests.ts --quick    10,000
 */
import { getEventListeners } from 'node:events'

import { snapshotCount } from '@heddle/context'

import { randomFrom } from '../support/random.ts'
import { heapSize } from './heap.ts'
import { type Point, slopeOf } from './slope.ts'
import { Traffic } from './traffic.ts'

const SEED = 20_261_123
const isQuick = process.argv.includes('--quick')
const REQUESTS = isQuick ? 10_000 : 100_000
/** Requests before the first look at the heap. */
const WARM_UP = isQuick ? 20_000 : 50_000
const CONCURRENCY = 64
const POINTS = 10
/**
 * Bytes per request: 1 kB per 1,000. A short run cannot tell less than one small object per request
 * from what the runtime itself still compiles and caches.
 */
const MOST_GROWTH = isQuick ? 20 : 1

const traffic = new Traffic(randomFrom(SEED))
const points: Point[] = []
const start = performance.now()
await traffic.serve(WARM_UP, CONCURRENCY)
const served = traffic.opened
for (let number = 1; number <= POINTS; number += 1) {
  await traffic.serve(REQUESTS / POINTS, CONCURRENCY)
  points.push({ x: traffic.opened - served, y: await heapSize() })
  const seconds = ((performance.now() - start) / 1_000).toFixed(1)
  const { x: requests, y: heap } = points.at(-1) ?? { x: 0, y: 0 }
  console.log(`${requests} requests, ${(heap / 1_000).toFixed(0)} kB, ${seconds} s`)
}

// What is compiled and cached once is there after the warm-up and the first quarter.
const slope = slopeOf(points.slice(Math.floor(POINTS / 4)))
const problems = [
  slope < MOST_GROWTH || `the heap grows by ${slope.toFixed(2)} bytes per request`,
  ...isOpen(),
].filter((problem) => problem !== true)
console.log(Object.fromEntries(traffic.endings))
console.log(
  problems.length === 0
    ? `fine: ${slope.toFixed(2)} bytes per request, nothing is open`
    : `FAILED: ${problems.join('; ')}`,
)
process.exitCode = problems.length === 0 ? 0 : 1

function* isOpen(): Generator<string | true> {
  const { queued, inFlight } = traffic.stats
  yield (queued === 0 && inFlight === 0) || `${queued} items and ${inFlight} batches are open`
  const scopes = traffic.opened - traffic.closed
  yield scopes === 0 || `${scopes} scopes are open`
  const { open, lost } = snapshotCount()
  yield (open === 0 && lost === 0) || `${open} snapshots are open, ${lost} were lost`
  const listeners = getEventListeners(traffic.shutdown.signal, 'abort').length
  yield listeners === 0 || `${listeners} listeners are left on a long-lived signal`
  const timers = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
  yield timers === 0 || `${timers} timers are armed`
}
