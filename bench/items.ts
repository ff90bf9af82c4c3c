/**
 * What an item costs: from submit to settlement with a batch function that does nothing, beside other
 * batchers. Each starts batches of at most 64; results are checked; all take turns, so that a ratio holds on
 * a noisy machine. In production mode.
 *
 *     npx -y pnpm@12 bench:items            Node 22, 24, 26 and Bun
 *     npx -y pnpm@12 bench:items --quick    shows that it works; its ratios are rough
 *     npx -y pnpm@12 bench:items --write    puts the tables into docs/performance.md
 */
import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { getHeapStatistics } from 'node:v8'

process.env['NODE_ENV'] = 'production'
const { runRequest } = await import('@heddle/context')
const { randomFrom } = await import('../test/support/random.ts')
const { CALLERS, goalOf } = await import('./items/goals.ts')
const { BASE, OWN, subjects, WAITING } = await import('./items/subjects.ts')
const { median, ratios, runtime, spread } = await import('./measure.ts')
const { print } = await import('./report.ts')

type Table = import('./report.ts').Table
type Load = ReturnType<(typeof subjects)[string]>
type Caller = (load: () => Promise<number>, index: number) => Promise<number>

const isQuick = process.argv.includes('--quick')
const ROUNDS = isQuick ? 2 : 9
const ITEMS = isQuick ? 640 : 19_200
/** Of a round, at most; and of those batchers that wait for a timer in each. */
const MOST_BURSTS = isQuick ? 20 : 600
const MOST_WAITS = isQuick ? 10 : 60

const storage = new AsyncLocalStorage<object>()
/** Of the callers of a burst. */
const signals = Array.from({ length: 128 }, () => new AbortController().signal)
const callers: Readonly<Record<string, Caller>> = {
  [CALLERS.bare]: (load) => load(),
  [CALLERS.stores]: (load) => storage.run({}, load),
  [CALLERS.scopes]: (load, index) => runRequest({ signal: signals[index]! }, load),
}
const LOADS: readonly (readonly [caller: string, bursts: readonly number[]])[] = [
  [CALLERS.stores, [1, 8, 32, 128]],
  [CALLERS.bare, [1, 32]],
  [CALLERS.scopes, [32]],
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

async function round(name: string, load: Load, caller: Caller, burst: number): Promise<Cost> {
  const most = WAITING.has(name) ? MOST_WAITS : MOST_BURSTS
  const bursts = Math.min(most, Math.ceil(ITEMS / burst))
  const items = bursts * burst
  const bytes = process.versions['bun'] ? undefined : allocated()
  const before = process.cpuUsage()
  for (let n = 0; n < bursts; n += 1) {
    const answers: Promise<number>[] = []
    for (let index = 0; index < burst; index += 1) {
      answers.push(caller(() => load(index), index))
    }
    const results = await Promise.all(answers)
    assert.equal(results[burst - 1], burst - 1)
  }
  const { user, system } = process.cpuUsage(before)
  return {
    time: ((user + system) * 1e3) / items,
    bytes: bytes === undefined ? undefined : ((allocated() ?? 0) - bytes) / items,
  }
}

const random = randomFrom(8)
for (const [callerName, bursts] of LOADS) {
  for (const burst of bursts) print(await tableOf(callerName, burst))
}

function shuffled<T>(values: readonly T[]): T[] {
  return values
    .map((value) => ({ value, place: random() }))
    .toSorted((a, b) => a.place - b.place)
    .map(({ value }) => value)
}

async function tableOf(callerName: string, burst: number): Promise<Table> {
  const caller = callers[callerName]!
  const loads = Object.entries(subjects).map(([name, make]) => [name, make()] as const)
  const costs = new Map<string, Cost[]>(loads.map(([name]) => [name, []]))
  for (const [name, load] of loads) await round(name, load, caller, 32)
  for (let n = 0; n <= ROUNDS; n += 1) {
    // In another order each time: whoever comes after a wasteful one pays for collecting what that has left.
    for (const [name, load] of shuffled(loads)) {
      const cost = await round(name, load, caller, burst)
      // The first round is another warm-up.
      if (n > 0) costs.get(name)?.push(cost)
    }
  }
  const base = (costs.get(BASE) ?? []).map(({ time }) => time)
  const rows = [...costs].map(([name, own]) => {
    const times = own.map(({ time }) => time)
    const beside = ratios(times, base)
    const bytes = median(own.map((cost) => cost.bytes ?? Number.NaN))
    const goal = name === OWN ? goalOf(callerName, burst) : ''
    return [name, median(times), median(beside), spread(beside), bytes, goal]
  })
  return {
    title: `${callerName}, bursts of ${burst}, ${runtime}`,
    about: `CPU time and bytes per item, medians of ${ROUNDS} interleaved rounds`,
    columns: [['batcher'], ['CPU ns'], ['× DataLoader', 2], ['quartiles'], ['bytes'], ['goal']],
    rows,
  }
}
