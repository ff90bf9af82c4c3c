import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { freePort } from '../../support/free-port.ts'

/** ms that it has to become healthy, and to stop. */
const PATIENCE = 120_000
const PORTS = [
  'JAEGER_HEALTH_PORT',
  'JAEGER_QUERY_PORT',
  'JAEGER_QUERY_GRPC_PORT',
  'JAEGER_OTLP_GRPC_PORT',
  'JAEGER_OTLP_HTTP_PORT',
] as const

/** A Jaeger of one's own: on loopback, on free ports, with nothing stored beyond its life. */
export class Jaeger {
  /** For `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  readonly otlp: string
  /** Its HTTP API. */
  readonly query: string
  readonly #process: ChildProcess

  /**
   * @param program - see `buildJaeger`
   * @throws Error with what it has printed when it does not become healthy
   */
  static async start(program: string): Promise<Jaeger> {
    const free = await Promise.all(PORTS.map(() => freePort()))
    const ports = Object.fromEntries(PORTS.map((name, index) => [name, String(free[index])]))
    const config = join(import.meta.dirname, 'jaeger.yaml')
    const child = spawn(program, ['--config', config], {
      env: { ...process.env, ...ports },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let printed = ''
    const keep = (text: unknown): void => {
      printed = `${printed}${String(text)}`.slice(-4000)
    }
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    await once(child, 'spawn')
    const jaeger = new Jaeger(child, ports as Record<(typeof PORTS)[number], string>)
    try {
      await jaeger.#healthy(`http://127.0.0.1:${ports['JAEGER_HEALTH_PORT']}/status`)
    } catch (cause) {
      await jaeger.stop()
      throw new Error(`Jaeger did not start:\n${printed}`, { cause })
    }
    return jaeger
  }

  private constructor(child: ChildProcess, ports: Record<(typeof PORTS)[number], string>) {
    this.#process = child
    this.otlp = `http://127.0.0.1:${ports.JAEGER_OTLP_HTTP_PORT}`
    this.query = `http://127.0.0.1:${ports.JAEGER_QUERY_PORT}`
  }

  get #hasEnded(): boolean {
    const { exitCode, signalCode, pid } = this.#process
    return pid === undefined || exitCode !== null || signalCode !== null
  }

  async stop(): Promise<void> {
    if (this.#hasEnded) return
    const ended = once(this.#process, 'exit')
    this.#process.kill('SIGTERM')
    const force = setTimeout(() => this.#process.kill('SIGKILL'), PATIENCE)
    await ended
    clearTimeout(force)
  }

  async #healthy(url: string): Promise<void> {
    const end = performance.now() + PATIENCE
    while (!this.#hasEnded && performance.now() < end) {
      const answer = await fetch(url).catch(() => undefined)
      if (answer?.ok) return
      await sleep(100)
    }
    throw new Error(this.#hasEnded ? 'It has ended' : `${url} was not healthy in time`)
  }
}
