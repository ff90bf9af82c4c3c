/**
 * What `heddle()` costs beside other middleware: CPU time per request in the server's process, under 64
 * connections. The servers all run at once and take turns at the load, so that a ratio holds on a
 * machine that other work shares.
 *
 *     npx -y pnpm@12 bench:hono           Node and Bun
 *     npx -y pnpm@12 bench:hono --quick   shows that it works; its ratios are rough
 *     npx -y pnpm@12 bench:hono --write   puts the tables into docs/hono-speed.md
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'

import autocannon from 'autocannon'

import { writeDocument } from './document.ts'
import { variants } from './hono/apps.ts'
import { table } from './markdown.ts'
import { median } from './measure.ts'

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    runtime: { type: 'string' },
    route: { type: 'string' },
    only: { type: 'string' },
  },
})
const ROUNDS = flags.quick ? 2 : 15
const CONNECTIONS = 64
const REQUESTS = flags.quick ? 1_000 : 4_000
const WARM_UP = flags.quick ? 1_000 : 20_000
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

/** What a server says when it listens. */
interface Hello {
  readonly port: number
  readonly runtime: string
}

class Server {
  /** With its version. */
  readonly runtime: string
  readonly #process: ChildProcess
  readonly #port: number

  private constructor(child: ChildProcess, { port, runtime }: Hello) {
    this.#process = child
    this.#port = port
    this.runtime = runtime
  }

  static async start(runtime: string, variant: string): Promise<Server> {
    const program = join(import.meta.dirname, 'hono/server.ts')
    const child = spawn(
      resolve(import.meta.dirname, '../node_modules/.bin', runtime),
      [program, variant],
      {
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
        env: { ...process.env, NODE_ENV: 'production' },
      },
    )
    const [hello] = (await once(child, 'message')) as [Hello]
    return new Server(child, hello)
  }

  /** µs of CPU time per request. */
  async load(path: string, requests: number): Promise<number> {
    const before = await this.#cpu()
    const { errors, non2xx } = await autocannon({
      url: `http://127.0.0.1:${this.#port}${path}`,
      connections: CONNECTIONS,
      amount: requests,
      // How often it looks whether it is done, in ms.
      sampleInt: 50,
    })
    if (errors + non2xx > 0)
      throw new Error(`${errors} errors, ${non2xx} answers that were not 2xx`)
    return ((await this.#cpu()) - before) / requests
  }

  async #cpu(): Promise<number> {
    this.#process.send('cpu')
    const [{ cpu }] = (await once(this.#process, 'message')) as [{ cpu: number }]
    return cpu
  }

  async stop(): Promise<void> {
    const ended = once(this.#process, 'exit')
    this.#process.disconnect()
    await ended
  }
}

const names = flags.only ? flags.only.split('|') : variants
const tables: string[] = []
for (const runtime of RUNTIMES) {
  const servers = await Promise.all(
    names.map(async (name) => [name, await Server.start(runtime, name)] as const),
  )
  for (const route of ROUTES) {
    const times: Record<string, number[]> = {}
    for (const [, server] of servers) await server.load(route, WARM_UP)
    for (let round = 0; round < ROUNDS; round += 1) {
      // Each comes after each other one in turn.
      for (let turn = 0; turn < servers.length; turn += 1) {
        const [name, server] = servers[(round + turn) % servers.length]!
        ;(times[name] ??= []).push(await server.load(route, REQUESTS))
      }
    }
    const text = textOf(servers[0]?.[1].runtime ?? runtime, route, times)
    console.log(`${text}\n`)
    tables.push(text)
  }
  await Promise.all(servers.map(([, server]) => server.stop()))
}

if (flags.write) writeDocument('hono', tables)

function textOf(
  runtime: string,
  route: string,
  times: Readonly<Record<string, readonly number[]>>,
): string {
  const goals = GOALS[route] ?? {}
  const about = `CPU µs per request in the server, medians of ${ROUNDS} rounds of ${REQUESTS} requests`
  const rows = Object.keys(times).map((name) => {
    const [other, most] = goals[name] ?? []
    const goal = other === undefined ? '' : `${ratio(name, other)} × ${other}, at most ${most}`
    return [name, rounded(median(times[name] ?? [])), ratio(name, 'bare'), goal]
  })
  return `${runtime}, ${route}; ${about}\n\n${table([['in front of the route', 'CPU µs', '× bare', 'goal'], ...rows])}`

  /** The median of the rounds' ratios: what disturbs a round disturbs both. */
  function ratio(name: string, other: string): string {
    const others = times[other] ?? []
    return rounded(median((times[name] ?? []).map((time, index) => time / (others[index] ?? 0))))
  }
}

function rounded(value: number): string {
  return value.toFixed(2)
}
