/**
 * What `heddle()` costs beside other middleware: CPU time per request in the server's process, under 64
 * connections. The servers all run at once and take turns at the load, so that a ratio holds on a
 * machine that other work shares.
 *
 *     npx -y pnpm@12 bench:hono           Node and Bun
 *     npx -y pnpm@12 bench:hono --quick   shows that it works; its ratios are rough
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'

import autocannon from 'autocannon'

import { variants } from './hono/apps.ts'
import { median } from './measure.ts'

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
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

/** What each may cost at most, as a multiple of another. */
const GOALS: Readonly<Record<string, readonly [other: string, ratio: number]>> = {
  'end of response': ['no-op', 1.05],
  'heddle, no headers': ['bare', 1.3],
  heddle: ['bare', 1.6],
  'heddle, span': ['bare', 1.8],
}

class Server {
  readonly #process: ChildProcess
  readonly #port: number

  private constructor(child: ChildProcess, port: number) {
    this.#process = child
    this.#port = port
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
    const [{ port }] = (await once(child, 'message')) as [{ port: number }]
    return new Server(child, port)
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
for (const runtime of RUNTIMES) {
  const servers = await Promise.all(
    names.map(async (name) => [name, await Server.start(runtime, name)] as const),
  )
  for (const route of ROUTES) {
    const times: Record<string, number[]> = {}
    for (const [, server] of servers) await server.load(route, WARM_UP)
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const [name, server] of servers) {
        ;(times[name] ??= []).push(await server.load(route, REQUESTS))
      }
    }
    print(`${runtime} ${route}`, times)
  }
  await Promise.all(servers.map(([, server]) => server.stop()))
}

function print(title: string, times: Readonly<Record<string, readonly number[]>>): void {
  console.log(`${title}; CPU µs per request, medians of ${ROUNDS} rounds of ${REQUESTS}`)
  const rows = Object.keys(times).map((name) => {
    const row = { 'CPU µs': rounded(median(times[name] ?? [])), '× bare': ratio(name, 'bare') }
    const [other, most] = GOALS[name] ?? []
    if (other === undefined) return [name, row]
    return [name, { ...row, goal: `${ratio(name, other)} ≤ ${most} × ${other}` }]
  })
  console.table(Object.fromEntries(rows))

  /** The median of the rounds' ratios: what disturbs a round disturbs both. */
  function ratio(name: string, other: string): number {
    const others = times[other] ?? []
    return rounded(median((times[name] ?? []).map((time, index) => time / (others[index] ?? 0))))
  }
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100
}
