/**
 * Questions to a database: one by one, with DataLoader and with Heddle. So many requests at once, each in a
 * store of its own as in a server, and each asks again when it has its answer. Answers are checked. In
 * production mode.
 *
 *     npx -y pnpm@12 bench:database           Node and Bun; PostgreSQL if there is DATABASE_URL
 *     npx -y pnpm@12 bench:database --quick   shows that it works
 *     npx -y pnpm@12 bench:database --write   puts the tables into docs/performance.md
 */
import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'

import DataLoader from 'dataloader'

process.env['NODE_ENV'] = 'production'
const { createBatcher } = await import('@heddle/core')
const { openPGlite, openServer } = await import('./database/postgres.ts')
const { openSqlite } = await import('./database/sqlite.ts')
const { cpuTime, median, runtime, takeTurns } = await import('./measure.ts')
const { print } = await import('./report.ts')
type Store = import('./database/store.ts').Store
type Table = import('./report.ts').Table

const isQuick = process.argv.includes('--quick')
const ROUNDS = isQuick ? 2 : 9
const AT_ONCE = [1, 8, 32, 128]
const MOST = 128

/** Of a round: so many that it takes a while. */
function requestsOf(atOnce: number): number {
  return isQuick ? Math.max(64, atOnce) : Math.min(4096, Math.max(512, 64 * atOnce))
}

type Ask = (n: number) => Promise<string>

/** Per request. */
interface Cost {
  /** µs. */
  readonly cpu: number
  /** µs from a request's start to the next one's, all requests taken together. */
  readonly time: number
}

const ONE_BY_ONE = 'one by one'
const waysOf: Readonly<Record<string, (store: Store) => Ask>> = {
  [ONE_BY_ONE]: (store) => (n) => store.one(n),
  DataLoader(store) {
    const options = { cache: false, maxBatchSize: MOST }
    const loader = new DataLoader<number, string>((numbers) => store.many(numbers), options)
    return (n) => loader.load(n)
  },
  Heddle: (store) => heddle(store, 'immediate'),
  // In the turn of the event loop in which they are asked, as DataLoader does.
  'Heddle, microtask': (store) => heddle(store, 'microtask'),
}

function heddle(store: Store, coalesce: 'immediate' | 'microtask'): Ask {
  const run = (numbers: readonly number[]): Promise<string[]> => store.many(numbers)
  const batcher = createBatcher({ name: 'rows', maxBatchSize: MOST, run, coalesce })
  return (n) => batcher.submit(n)
}

const url = process.env['DATABASE_URL']
const opens = [openPGlite, openSqlite, ...(url ? [() => openServer(url)] : [])]
for (const open of opens) print(await tableOf(await open()))
if (!url) console.error('PostgreSQL is left out: there is no DATABASE_URL')

async function tableOf(store: Store): Promise<Table> {
  const ways = Object.entries(waysOf).map(([name, make]) => [name, make(store)] as const)
  const rows: Table['rows'][number][] = []
  for (const atOnce of AT_ONCE) {
    const found = await takeTurns(ways, ROUNDS + 1, ([, ask]) => round(store, ask, atOnce))
    // The first round warms up.
    const costs = new Map(ways.map(([name], index) => [name, found[index]?.slice(1) ?? []]))
    for (const [name] of ways) rows.push(rowOf(name, atOnce, costs))
  }
  await store.close()
  return {
    title: `${store.name}, ${runtime}`,
    about: `Per request, medians of ${ROUNDS} interleaved rounds`,
    columns: [
      ['at once'],
      ['asked by'],
      ['CPU µs', 1],
      ['× one by one', 2],
      ['requests/s', 0],
      ['× one by one', 2],
      ['× DataLoader', 2],
      ['goal'],
    ],
    rows,
  }
}

async function round(store: Store, ask: Ask, atOnce: number): Promise<Cost> {
  const storage = new AsyncLocalStorage<object>()
  const requests = requestsOf(atOnce)
  let next = 0
  async function client(): Promise<void> {
    while (next < requests) {
      const n = (next += 1)
      const answer = await storage.run({}, () => ask(n))
      assert.ok(store.isRight(n, answer), `Expected the answer to ${n}, got ${answer}`)
    }
  }
  const start = performance.now()
  const cpu = await cpuTime(async () => {
    await Promise.all(Array.from({ length: atOnce }, client))
  })
  return { cpu: cpu / requests, time: ((performance.now() - start) * 1e3) / requests }
}

function rowOf(
  name: string,
  atOnce: number,
  costs: ReadonlyMap<string, readonly Cost[]>,
): Table['rows'][number] {
  const own = costs.get(name) ?? []
  /** The median of the rounds' ratios: what disturbs a round disturbs both. */
  const ratio = (key: keyof Cost, other: string): number =>
    median(own.map((cost, index) => cost[key] / (costs.get(other)?.[index]?.[key] ?? Number.NaN)))
  return [
    atOnce,
    name,
    median(own.map(({ cpu }) => cpu)),
    ratio('cpu', ONE_BY_ONE),
    1e6 / median(own.map(({ time }) => time)),
    1 / ratio('time', ONE_BY_ONE),
    1 / ratio('time', 'DataLoader'),
    name === 'Heddle' ? goalOf(atOnce) : '',
  ]
}

function goalOf(atOnce: number): string {
  if (atOnce === 1) return 'CPU at most 1.1 × one by one'
  return atOnce === 32 ? 'requests/s at least 8 × one by one, 1 × DataLoader' : ''
}
