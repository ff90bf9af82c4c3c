/**
 * The documents' snippets together are one program, which ends as it should under load: the telemetry is
 * in a file of its own, and there is one SIGTERM handler.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { Agent, get } from 'node:http'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'

import type { Health } from '@heddle/hono'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { Collector } from '../../e2e/support/collector.ts'
import { until } from '../../support/crank.ts'
import { isBun } from './start.ts'

const root = resolve(import.meta.dirname, '../../..')
const folder = join(root, 'examples/snippets/service')
const CLIENTS = 32

/** The program in a process of its own. */
class Program {
  readonly #process: ChildProcess
  readonly port: number

  static async start(file: string, env: object): Promise<Program> {
    const first = isBun ? '--preload' : '--import'
    const child = spawn(
      join(root, 'node_modules/.bin', isBun ? 'bun' : 'node'),
      [first, join(folder, 'telemetry.ts'), join(folder, file)],
      {
        env: { ...process.env, PORT: '0', NODE_ENV: 'production', ...env },
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    const [port] = (await once(createInterface(child.stdout), 'line')) as [string]
    return new Program(child, Number(port))
  }

  private constructor(child: ChildProcess, port: number) {
    this.#process = child
    this.port = port
  }

  terminate(): void {
    this.#process.kill('SIGTERM')
  }

  /** Resolves with the exit code, or the signal that has ended it. */
  async ended(): Promise<unknown> {
    const { exitCode, signalCode } = this.#process
    if (exitCode !== null || signalCode !== null) return exitCode ?? signalCode
    const [code, signal] = await once(this.#process, 'exit')
    return code ?? signal
  }
}

/** How many run. */
async function batchesOf({ port }: Program): Promise<number | undefined> {
  const answer = await fetch(`http://127.0.0.1:${port}/ready`)
  const { batchers } = (await answer.json()) as Health
  return batchers[0]?.inFlight
}

/** Clients that keep their connections alive. */
class Load {
  readonly agent = new Agent({ keepAlive: true, maxSockets: CLIENTS })
  /** How requests ended: by a status, and whether the connection is kept, or a code. */
  readonly outcomes: string[] = []
  /** The traces of those that were answered. */
  readonly traces: string[] = []
  readonly #port: number
  #sent = 0

  constructor(port: number) {
    this.#port = port
  }

  /** Whether it was answered. */
  request(): Promise<boolean> {
    const traceId = (this.#sent += 1).toString(16).padStart(32, '0')
    const headers = { traceparent: `00-${traceId}-00000000000000ff-01` }
    const options = { port: this.#port, host: '127.0.0.1', agent: this.agent, headers }
    return new Promise((answer) => {
      const failed = (error: NodeJS.ErrnoException): void => {
        this.outcomes.push(error.code ?? error.message)
        answer(false)
      }
      const request = get({ ...options, path: `/users/${this.#sent}` }, (response) => {
        response.resume().on('error', failed)
        response.on('end', () => {
          const { connection = 'keep-alive' } = response.headers
          this.outcomes.push(`${response.statusCode} ${connection}`)
          this.traces.push(traceId)
          answer(true)
        })
      })
      request.on('error', failed)
    })
  }

  /** Each client sends one request after the other until it is refused. */
  async run(): Promise<void> {
    const client = async (): Promise<void> => {
      while (await this.request());
    }
    await Promise.all(Array.from({ length: CLIENTS }, client))
  }
}

describe.each(isBun ? ['server.ts', 'server-bun.ts'] : ['server.ts'])('%s', (file) => {
  let collector: Collector
  beforeAll(async () => {
    collector = await Collector.start()
  })
  afterAll(() => collector.stop())

  const serverTraces = (): string[] =>
    collector.spans.filter(({ name }) => name.startsWith('GET')).map(({ traceId }) => traceId)

  it('answers what is in flight, loses no span, and ends with 0, also at a second SIGTERM', async () => {
    const program = await Program.start(file, { ...collector.env, RUN_TIME: '300' })
    const load = new Load(program.port)
    await Promise.all(Array.from({ length: CLIENTS }, () => load.request()))
    const answers = Array.from({ length: CLIENTS }, () => load.request())
    // All are with the server, whose next batch takes its time.
    while ((await batchesOf(program)) === 0);
    program.terminate()
    program.terminate()
    expect(await Promise.all(answers)).toEqual(answers.map(() => true))
    expect(await program.ended()).toBe(0)
    expect(load.outcomes.slice(CLIENTS)).toEqual(answers.map(() => '200 close'))
    expect(serverTraces()).toEqual(expect.arrayContaining(load.traces))
    load.agent.destroy()
  })

  // The `node:http` of Bun shuts what is idle when it stops, whatever is on its way.
  it.skipIf(isBun && file === 'server.ts')(
    'resets nobody who goes on sending, and loses no span',
    async () => {
      const program = await Program.start(file, collector.env)
      const load = new Load(program.port)
      const over = load.run()
      await until(() => load.traces.length > 10 * CLIENTS)
      program.terminate()
      await over
      expect(await program.ended()).toBe(0)
      const outcomes = new Set(load.outcomes)
      expect([...outcomes].toSorted()).toEqual(['200 close', '200 keep-alive', 'ECONNREFUSED'])
      expect(serverTraces()).toEqual(expect.arrayContaining(load.traces))
      load.agent.destroy()
    },
  )
})
