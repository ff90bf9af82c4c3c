import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'

import { pidtree } from 'pidtree'
import pidusage from 'pidusage'

import { freePort } from '../../test/support/free-port.ts'

/** How long a service may take until it answers, in ms. */
const MOST_START_TIME = 60_000

/** A service and the processes that it starts, on a port of its own. */
export class Service {
  readonly url: string
  readonly #process: ChildProcess

  private constructor(process: ChildProcess, port: number) {
    this.#process = process
    this.url = `http://127.0.0.1:${port}`
  }

  /** @param commandOf - the command that serves on a port; it answers `GET /health` when it is ready */
  static async start(commandOf: (port: number) => readonly string[]): Promise<Service> {
    const port = await freePort()
    const [file = '', ...args] = commandOf(port)
    // A group of its own, since what LitServe starts outlives it.
    const child = spawn(file, args, {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, NODE_ENV: 'production' },
      detached: true,
    })
    const service = new Service(child, port)
    try {
      await service.#ready()
    } catch (error) {
      await service.stop()
      throw error
    }
    return service
  }

  async #ready(): Promise<void> {
    const end = Date.now() + MOST_START_TIME
    while (Date.now() < end && this.#process.exitCode === null) {
      const isUp = await fetch(`${this.url}/health`).then(
        (response) => response.ok,
        () => false,
      )
      if (isUp) return
      await sleep(100)
    }
    throw new Error(`${this.#process.spawnargs.join(' ')} does not answer`)
  }

  /** All its processes: CPU time so far in ms, and resident memory in bytes. */
  async usage(): Promise<{ readonly cpu: number; readonly memory: number }> {
    const ids = await pidtree(this.#pid, { root: true })
    const all = Object.values(await pidusage(ids))
    return {
      cpu: all.reduce((sum, { ctime }) => sum + ctime, 0),
      memory: all.reduce((sum, { memory }) => sum + memory, 0),
    }
  }

  /** Stands still, so that it takes no CPU time from others, until `wake`. */
  pause(): void {
    process.kill(-this.#pid, 'SIGSTOP')
  }

  wake(): void {
    process.kill(-this.#pid, 'SIGCONT')
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null) return
    const ended = once(this.#process, 'exit')
    process.kill(-this.#pid, 'SIGKILL')
    await ended
  }

  get #pid(): number {
    return this.#process.pid ?? 0
  }
}
