/**
 * What `heddle()` costs beside other middleware: CPU time per request in the server's process, under 64
 * connections. The servers all run at once and take turns at the load, so that a ratio holds on a
 * machine that other work shares.
 *
 *     npx -y pnpm@12 bench:http           Node and Bun
 *     npx -y pnpm@12 bench:http --quick   shows that it works; its ratios are rough
 *     npx -y pnpm@12 bench:http --write   puts the tables into docs/performance.md
 */
import assert from 'node:assert/strict'
import { parseArgs } from 'node:util'

import { variants } from './http/apps.ts'
import { Collector } from './http/collector.ts'
import { Target } from './http/target.ts'
import { median, ratios, spread, takeTurns } from './measure.ts'
import { keep, print, type Table } from './report.ts'

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    runtime: { type: 'string' },
    route: { type: 'string' },
    only: { type: 'string' },
  },
})
const ROUNDS = flags.quick ? 2 : 11
const REQUESTS = flags.quick ? 500 : 3_000
const WARM_UP = flags.quick ? 500 : 8_000
const ROUTES = ['/json/1', '/stream'].filter((route) => !flags.route || route === flags.route)
const RUNTIMES = ['node', 'bun'].filter((runtime) => !flags.runtime || runtime === flags.runtime)

/** What each may cost at most, as a multiple of another; by route. */
const GOALS: Readonly<Record<string, Readonly<Record<string, readonly [string, number]>>>> = {
  '/json/1': {
    'heddle, no headers': ['bare', 1.3],
    heddle: ['bare', 1.6],
    'heddle, span': ['bare', 1.8],
  },
  '/stream': { 'end of response': ['no-op', 1.05] },
}

/** Streams take long, and only some ask what they cost. */
const WITH_STREAMS: ReadonlySet<string> = new Set([
  'bare',
  'bare, again',
  'no-op',
  'end of response',
  'heddle, no headers',
  'heddle',
])

const names = flags.only ? flags.only.split('|') : variants
const collector = await Collector.start()
const tables: Table[] = []
for (const runtime of RUNTIMES) tables.push(...(await tablesOn(runtime)))
collector.stop()
await keep('http', tables)

async function tablesOn(runtime: string): Promise<Table[]> {
  const targets = await Promise.all(
    names.map(async (name) => [name, await Target.start(runtime, name, collector.url)] as const),
  )
  const found: Table[] = []
  for (const route of ROUTES) {
    const own = route === '/stream' ? targets.filter(([name]) => WITH_STREAMS.has(name)) : targets
    for (const [, target] of own) await target.load(route, WARM_UP)
    const loads = await takeTurns(own, ROUNDS, ([, target]) => target.load(route, REQUESTS))
    const times = Object.fromEntries(own.map(([name], index) => [name, loads[index] ?? []]))
    const table = tableOf(targets[0]?.[1].runtime ?? runtime, route, times)
    print(table)
    found.push(table)
  }
  await Promise.all(targets.map(([, target]) => target.stop()))
  if (names.some((name) => name.includes('OTLP'))) assert.ok(collector.received > 0)
  return found
}

function tableOf(
  runtime: string,
  route: string,
  times: Readonly<Record<string, readonly number[]>>,
): Table {
  const goals = GOALS[route] ?? {}
  const rows = Object.entries(times).map(([name, own]) => {
    const bare = ratios(own, times['bare'] ?? [])
    const [other = '', most] = goals[name] ?? []
    const beside = median(ratios(own, times[other] ?? [])).toFixed(2)
    const goal = most && `${beside} × ${other}, at most ${most}`
    return [name, median(own), median(bare), spread(bare), goal]
  })
  return {
    title: `HTTP ${route}, ${runtime}`,
    about: `CPU time per request in the server, medians of ${ROUNDS} rounds of ${REQUESTS} requests, quartiles of the ratio`,
    columns: [['in front of the route'], ['CPU µs', 2], ['× bare', 2], ['quartiles'], ['goal']],
    rows,
  }
}
