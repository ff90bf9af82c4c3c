/**
 * Runs many items with random aborts, deadlines and faults through one batcher, and fails if one of them is not
 * settled exactly once, or the heap grows:
 *
 *     node test/soak/items.ts           1,000,000 items, after 100,000 to warm up
 *     bun test/soak/items.ts --quick    60,000
 */
import { randomFrom } from '../support/random.ts'
import { Flood } from './flood.ts'
import { heapSize } from './heap.ts'
import { type Point, slopeOf } from './slope.ts'

const SEED = 20_261_125
const isQuick = process.argv.includes('--quick')
const ITEMS = isQuick ? 60_000 : 1_000_000
const WARM_UP = isQuick ? 30_000 : 100_000
const CONCURRENCY = 170
const POINTS = 10
/** Bytes per item; a short run still sees what the runtime compiles and caches. */
const MOST_GROWTH = isQuick ? 4 : 0.2

const flood = new Flood(randomFrom(SEED))
const points: Point[] = []
await flood.send(WARM_UP, CONCURRENCY)
const warm = flood.submitted
for (let number = 1; number <= POINTS; number += 1) {
  await flood.send(ITEMS / POINTS, CONCURRENCY)
  points.push({ x: flood.submitted - warm, y: await heapSize() })
  const { x: items, y: heap } = points.at(-1) ?? { x: 0, y: 0 }
  console.log(`${items} items, ${(heap / 1_000).toFixed(0)} kB`)
}

const slope = slopeOf(points.slice(Math.floor(POINTS / 4)))
const problems = [
  slope < MOST_GROWTH || `the heap grows by ${slope.toFixed(3)} bytes per item`,
  ...flood.problems(),
].filter((problem) => problem !== true)
console.log(Object.fromEntries(flood.endings))
console.log(
  problems.length === 0
    ? `fine: ${slope.toFixed(3)} bytes per item, each was settled once`
    : `FAILED: ${problems.join('; ')}`,
)
process.exitCode = problems.length === 0 ? 0 : 1
