/**
 * Serves many requests of clients of whom 30 % leave at random moments, and fails if one hangs, a scope
 * stays open, or the heap grows:
 *
 *     node test/soak/leavers.ts           100,000 requests, after 20,000 to warm up
 *     bun test/soak/leavers.ts --quick    10,000
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join, resolve } from 'node:path'

import { listen } from '../support/server.ts'
import type { Endings, Order } from './crowd.ts'
import { heapSize } from './heap.ts'
import { Restless } from './restless.ts'
import { type Point, slopeOf } from './slope.ts'

const isQuick = process.argv.includes('--quick')
const REQUESTS = isQuick ? 10_000 : 100_000
const WARM_UP = isQuick ? 5_000 : 20_000
const CONCURRENCY = 64
const LEAVING = 0.3
const POINTS = 10
/** Bytes per request; a short run still sees what the runtime compiles and caches. */
const MOST_GROWTH = isQuick ? 60 : 5
/** ms after which a client that has got no answer counts as hanging. */
const HANGING = 120_000

const restless = new Restless()
let unhandled = 0
process.on('unhandledRejection', (reason) => {
  unhandled += 1
  console.error(reason)
})
const server = await listen(restless.app)
// The clients are always on Node, whatever serves them.
const crowd = fork(join(import.meta.dirname, 'crowd.ts'), {
  execPath: resolve(import.meta.dirname, '../../node_modules/.bin/node'),
})
const endings = new Map<string, number>()

await visit(WARM_UP)
const warm = restless.opened
const points: Point[] = []
for (let number = 1; number <= POINTS; number += 1) {
  await visit(REQUESTS / POINTS)
  points.push({ x: restless.opened - warm, y: await heapSize() })
  const { x: requests, y: heap } = points.at(-1) ?? { x: 0, y: 0 }
  console.log(`${requests} requests, ${(heap / 1_000).toFixed(0)} kB`)
}
crowd.disconnect()
await server[Symbol.asyncDispose]()

const slope = slopeOf(points.slice(Math.floor(POINTS / 4)))
const found = [...problems()].filter((problem) => problem !== true)
console.log(
  Object.fromEntries(endings),
  `${restless.left} of ${restless.opened} scopes were aborted`,
)
console.log(
  found.length === 0
    ? `fine: ${slope.toFixed(2)} bytes per request, nothing is open`
    : `FAILED: ${found.join('; ')}`,
)
process.exitCode = found.length === 0 ? 0 : 1

async function visit(count: number): Promise<void> {
  const order: Order = { url: server.url, count, concurrency: CONCURRENCY, leaving: LEAVING }
  crowd.send(order)
  const [counts] = (await once(crowd, 'message', {
    signal: AbortSignal.timeout(HANGING),
  })) as [Endings]
  for (const [ending, times] of Object.entries(counts)) {
    endings.set(ending, (endings.get(ending) ?? 0) + times)
  }
  // The last ones may be on their way still; what never ends is found below.
  for (let round = 0; round < 500 && restless.closed < restless.opened; round += 1) {
    await new Promise((done) => setTimeout(done, 2))
  }
}

function* problems(): Generator<string | true> {
  yield slope < MOST_GROWTH || `the heap grows by ${slope.toFixed(2)} bytes per request`
  const open = restless.opened - restless.closed
  yield open === 0 || `${open} scopes are open`
  const { queued, inFlight } = restless.stats
  yield (queued === 0 && inFlight === 0) || `${queued} items and ${inFlight} batches are open`
  yield unhandled === 0 || `${unhandled} rejections were not handled`
  const left = (endings.get('left') ?? 0) / (REQUESTS + WARM_UP)
  yield left > LEAVING / 3 || `only ${(left * 100).toFixed(1)} % of the clients have left`
  yield restless.left > 0 || 'no scope was told that its client has left'
}
