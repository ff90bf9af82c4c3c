import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join, resolve } from 'node:path'

export type Runtime = 'node' | 'bun'

/** Of GeoNames: Berlin, London, New York, Paris, Tokyo. */
const CITIES = [2_950_159, 2_643_743, 5_128_581, 2_988_507, 1_850_147]
const TENANTS = ['acme', 'globex']

const root = resolve(import.meta.dirname, '../../..')

/** The cities example in a process of its own, with the telemetry that the environment says. */
export class Cities implements AsyncDisposable {
  readonly url: string
  readonly #process: ChildProcess

  /** @throws Error when it does not start */
  static async start(runtime: Runtime, env: Readonly<Record<string, string>>): Promise<Cities> {
    const child = spawn(
      join(root, 'node_modules/.bin', runtime),
      [join(root, 'examples/cities/server.ts'), 'after'],
      {
        env: { ...process.env, NODE_ENV: 'production', ...env },
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      },
    )
    const [message] = (await Promise.race([
      once(child, 'message'),
      once(child, 'exit').then(() => [undefined]),
    ])) as [{ readonly url: string } | undefined]
    if (message === undefined) throw new Error(`The server did not start on ${runtime}`)
    return new Cities(child, message.url)
  }

  private constructor(child: ChildProcess, url: string) {
    this.#process = child
    this.url = url
  }

  /**
   * Sends so many requests at once, each with another id, and checks that each answer is its own.
   *
   * @returns the ids
   */
  async request(count: number, name: string): Promise<string[]> {
    const requestIds = Array.from({ length: count }, (_, index) => `${name}-${index}`)
    await Promise.all(requestIds.map((requestId, index) => this.#requestOne(requestId, index)))
    return requestIds
  }

  async #requestOne(requestId: string, index: number): Promise<void> {
    const id = CITIES[index % CITIES.length]
    const tenant = TENANTS[index % TENANTS.length] ?? ''
    const path = index % 4 === 3 ? '/cities/nearest?lat=48.85&lon=2.35' : `/cities/${id}`
    const headers = { 'X-Tenant': tenant, 'X-Request-Id': requestId }
    const answer = await fetch(`${this.url}${path}`, { headers })
    assert.equal(answer.status, 200)
    const body = (await answer.json()) as { readonly requestId: string; readonly tenant: string }
    assert.deepEqual([body.requestId, body.tenant], [requestId, tenant])
  }

  /** Resolves when it has sent all its spans and has ended. */
  async stop(): Promise<void> {
    const { exitCode, signalCode } = this.#process
    if (exitCode !== null || signalCode !== null) return
    const ended = once(this.#process, 'exit')
    this.#process.kill('SIGTERM')
    await ended
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }
}
