/**
 * Whether the cost of an item depends on how many there are: items in the queue, partitions, tenants, requests.
 * The batch function does nothing. In production mode.
 *
 *     npx -y pnpm@12 bench:scale           Node and Bun
 *     npx -y pnpm@12 bench:scale --quick   goes less far
 *     npx -y pnpm@12 bench:scale --write   puts the tables into docs/performance.md
 */
import assert from 'node:assert/strict'

process.env['NODE_ENV'] = 'production'
const { collect } = await import('../test/support/gc.ts')
const { cpuTime, median, runtime } = await import('./measure.ts')
const { print } = await import('./report.ts')
const { BASE, loads } = await import('./scale/loads.ts')
type Load = ReturnType<typeof loads>[number]

const isQuick = process.argv.includes('--quick')
const ROUNDS = isQuick ? 1 : 3
const MOST = isQuick ? 1e4 : 1e6
/** In a measurement, at least. */
const LEAST_ITEMS = isQuick ? 1e4 : 2e5

const costs = new Map<string, number[]>()
const all = loads(MOST)
for (let round = 0; round < ROUNDS; round += 1) {
  for (const load of all) {
    for (const size of load.sizes) {
      const cost = await costOf(load, size)
      const key = `${load.name} ${size}`
      costs.set(key, [...(costs.get(key) ?? []), cost])
    }
  }
}

const rows = []
for (const load of all) {
  const times = load.sizes.map((size) => median(costs.get(`${load.name} ${size}`) ?? []))
  for (const [index, size] of load.sizes.entries()) {
    const ratio = (times[index] ?? Number.NaN) / (times[0] ?? Number.NaN)
    const goal = load.name === BASE && size === 1e6 ? 'at most 1.3' : ''
    rows.push([load.name, size, times[index], ratio, await bytesOf(load, size), goal])
  }
}
print({
  title: `Cost of an item as there are more, ${runtime}`,
  about: `CPU time from submit to settlement, medians of ${ROUNDS} rounds; bytes on the heap while it waits, with its promise`,
  columns: [['what'], ['how many'], ['CPU ns', 0], ['× the fewest', 2], ['bytes', 0], ['goal']],
  rows,
})

/** CPU ns per item. */
async function costOf(load: Load, size: number): Promise<number> {
  const own = size * load.items
  const repeats = Math.ceil(LEAST_ITEMS / own)
  const submit = load.make(size)
  collect()
  // The collector throws compiled code away, too.
  for (let n = 0; n < LEAST_ITEMS / 10; n += own) await settled(own, submit)
  const time = await cpuTime(async () => {
    for (let n = 0; n < repeats; n += 1) await settled(own, submit)
  })
  return (time * 1e3) / (own * repeats)
}

/** Bytes per item while all wait. */
async function bytesOf(load: Load, size: number): Promise<number> {
  const own = size * load.items
  const submit = load.make(size)
  collect()
  const before = process.memoryUsage().heapUsed
  const done = settled(own, submit)
  collect()
  const bytes = (process.memoryUsage().heapUsed - before) / own
  await done
  return bytes
}

function settled(count: number, submit: (n: number) => Promise<number>): Promise<void> {
  return new Promise((resolve, reject) => {
    let left = count
    let sum = 0
    function settle(value: number): void {
      sum += value
      left -= 1
      if (left > 0) return
      assert.equal(sum, (count * (count - 1)) / 2)
      resolve()
    }
    for (let n = 0; n < count; n += 1) submit(n).then(settle, reject)
  })
}
