import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join, resolve } from 'node:path'

import autocannon from 'autocannon'

const CONNECTIONS = 64

/** What a server says when it listens. */
interface Hello {
  readonly port: number
  readonly runtime: string
}

/** An app in a process of its own. */
export class Target {
  /** With its version. */
  readonly runtime: string
  readonly #process: ChildProcess
  readonly #port: number

  private constructor(child: ChildProcess, { port, runtime }: Hello) {
    this.#process = child
    this.#port = port
    this.runtime = runtime
  }

  /** @param collector - where it sends spans by OTLP, if it does */
  static async start(runtime: string, variant: string, collector: string): Promise<Target> {
    const program = join(import.meta.dirname, 'server.ts')
    const child = spawn(
      resolve(import.meta.dirname, '../../node_modules/.bin', runtime),
      [program, variant],
      {
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
        env: {
          ...process.env,
          NODE_ENV: 'production',
          OTEL_EXPORTER_OTLP_ENDPOINT: collector,
        },
      },
    )
    const [hello] = (await once(child, 'message')) as [Hello]
    return new Target(child, hello)
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
