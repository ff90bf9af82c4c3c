/**
 * What an item costs: from submit to settlement with a batch function that does nothing, beside other
 * batchers. Each starts batches of at most 64; results are checked; all take turns, so that a ratio holds on
 * a noisy machine. In production mode.
 *
 *     npx -y pnpm@12 bench:items            Node 22, 24, 26 and Bun
 *     npx -y pnpm@12 bench:items --quick    shows that it works; its ratios are rough
 *     npx -y pnpm@12 bench:items --write    puts the tables into docs/items-speed.md
 */
import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { getHeapStatistics } from 'node:v8'

process.env['NODE_ENV'] = 'production'
const { runRequest } = await import('@heddle/context')
const { BASE, subjects } = await import('./items/subjects.ts')
const { table } = await import('./markdown.ts')
const { median, runtime } = await import('./measure.ts')

type Load = ReturnType<(typeof subjects)[string]>
type Caller = (load: () => Promise<number>) => Promise<number>

const isQuick = process.argv.includes('--quick')
const ROUNDS = isQuick ? 2 : 9
const ITEMS = isQuick ? 640 : 19_200
/** Of a round: some of the batchers wait for a timer in each. */
const MOST_BURSTS = isQuick ? 20 : 600

const storage = new AsyncLocalStorage<object>()
const { signal } = new AbortController()
const callers: Readonly<Record<string, Caller>> = {
  'no store': (load) => load(),
  'each caller in a store of its own': (load) => storage.run({}, load),
  'each in a request scope with a signal': (load) => runRequest({ signal }, load),
}
const LOADS: readonly (readonly [caller: string, bursts: readonly number[]])[] = [
  ['each caller in a store of its own', [1, 8, 32, 128]],
  ['no store', [1, 32]],
  ['each in a request scope with a signal', [32]],
]

interface Cost {
  /** CPU ns per item. */
  readonly time: number
  /** Allocated per item; `undefined` where the runtime does not tell. */
  readonly bytes: number | undefined
}

function allocated(): number | undefined {
  return (getHeapStatistics() as { readonly total_allocated_bytes?: number }).total_allocated_bytes
}

async function round(load: Load, caller: Caller, burst: number): Promise<Cost> {
  const bursts = Math.min(MOST_BURSTS, Math.ceil(ITEMS / burst))
  const items = bursts * burst
  const bytes = process.versions['bun'] ? undefined : allocated()
  const before = process.cpuUsage()
  for (let n = 0; n < bursts; n += 1) {
    const answers: Promise<number>[] = []
    for (let index = 0; index < burst; index += 1) answers.push(caller(() => load(index)))
    const results = await Promise.all(answers)
    assert.equal(results[burst - 1], burst - 1)
  }
  const { user, system } = process.cpuUsage(before)
  return {
    time: ((user + system) * 1e3) / items,
    bytes: bytes === undefined ? undefined : ((allocated() ?? 0) - bytes) / items,
  }
}

console.log(`${runtime}; CPU per item, medians of ${ROUNDS} interleaved rounds\n`)
for (const [callerName, bursts] of LOADS) {
  for (const burst of bursts) console.log(`${await textOf(callerName, burst)}\n`)
}

async function textOf(callerName: string, burst: number): Promise<string> {
  const caller = callers[callerName]!
  const loads = Object.entries(subjects).map(([name, make]) => [name, make()] as const)
  const costs = new Map<string, Cost[]>(loads.map(([name]) => [name, []]))
  for (const [, load] of loads) await round(load, caller, 32)
  for (let n = 0; n <= ROUNDS; n += 1) {
    for (let turn = 0; turn < loads.length; turn += 1) {
      const [name, load] = loads[(n + turn) % loads.length]!
      const cost = await round(load, caller, burst)
      // The first round is another warm-up.
      if (n > 0) costs.get(name)?.push(cost)
    }
  }
  const base = costs.get(BASE) ?? []
  const rows = [...costs].map(([name, own]) => {
    const times = own.map(({ time }) => time)
    // Of each round: what disturbs one disturbs all of it.
    const ratios = times.map((time, index) => time / (base[index]?.time ?? Number.NaN))
    const bytes = median(own.map((cost) => cost.bytes ?? Number.NaN))
    return [
      name,
      median(times).toFixed(0),
      median(ratios).toFixed(2),
      `${quantile(ratios, 0.25).toFixed(2)} – ${quantile(ratios, 0.75).toFixed(2)}`,
      Number.isNaN(bytes) ? '' : bytes.toFixed(0),
    ]
  })
  const head = [`${callerName}, bursts of ${burst}`, 'ns', '× DataLoader', 'quartiles', 'bytes']
  return table([head, ...rows])
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN
}
