/**
 * What an item costs: from submit to settlement with a batch function that does nothing, beside other
 * batchers. Each starts batches of at most 64; results are checked. Each has a process of its own, and they
 * take turns, so that a ratio holds on a noisy machine. In production mode.
 *
 *     npx -y pnpm@12 bench:items            Node 22, 24, 26 and Bun
 *     npx -y pnpm@12 bench:items --quick    shows that it works; its ratios are rough
 *     npx -y pnpm@12 bench:items --write    puts the tables into docs/performance.md
 */
import { CALLERS, goalOf } from './items/goals.ts'
import { Subject } from './items/process.ts'
import { BASE, OWN, subjects, WAITING } from './items/subjects.ts'
import { median, ratios, runtime, spread, takeTurns } from './measure.ts'
import { print, type Table } from './report.ts'

const isQuick = process.argv.includes('--quick')
const ROUNDS = isQuick ? 2 : 9
/** Rounds that are not counted: the larger a batcher's code, the later it is compiled as well as it will be. */
const WARM_UPS = isQuick ? 1 : 3
/** Of a round, at most. */
const MOST_ITEMS = isQuick ? 640 : 19_200
const MOST_BURSTS = isQuick ? 20 : 6000
/** Of those batchers that wait for a timer in each. */
const MOST_WAITS = isQuick ? 10 : 60

const LOADS: readonly (readonly [caller: string, bursts: readonly number[]])[] = [
  [CALLERS.stores, [1, 8, 32, 128]],
  [CALLERS.bare, [1, 32]],
  [CALLERS.scopes, [32]],
]

const processes = Object.keys(subjects).map((name) => new Subject(name))
for (const [caller, bursts] of LOADS) {
  for (const burst of bursts) print(await tableOf(caller, burst))
}
for (const each of processes) each[Symbol.dispose]()

async function tableOf(caller: string, burst: number): Promise<Table> {
  const found = await takeTurns(processes, WARM_UPS + ROUNDS, (subject) => {
    const most = WAITING.has(subject.name) ? MOST_WAITS : MOST_BURSTS
    const bursts = Math.min(most, Math.ceil(MOST_ITEMS / burst))
    return subject.measure({ caller, burst, bursts })
  })
  const costs = processes.map(
    ({ name }, index) => [name, found[index]?.slice(WARM_UPS) ?? []] as const,
  )
  const base = costs.find(([name]) => name === BASE)?.[1].map(({ time }) => time) ?? []
  const rows = costs.map(([name, own]) => {
    const times = own.map(({ time }) => time)
    const beside = ratios(times, base)
    const bytes = median(own.map((cost) => cost.bytes ?? Number.NaN))
    const goal = name === OWN ? goalOf(caller, burst) : ''
    return [name, median(times), median(beside), spread(beside), bytes, goal]
  })
  return {
    title: `${caller}, bursts of ${burst}, ${runtime}`,
    about: `CPU time and bytes per item, medians of ${ROUNDS} interleaved rounds`,
    columns: [['batcher'], ['CPU ns'], ['× DataLoader', 2], ['quartiles'], ['bytes'], ['goal']],
    rows,
  }
}
