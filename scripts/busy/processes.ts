import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

const program = join(import.meta.dirname, 'spin.ts')

/**
 * Processes that do nothing but use a core each. They end when this object is disposed of, when this
 * process exits, and by themselves when this process is killed.
 */
export class BusyProcesses {
  readonly #children: readonly ChildProcess[]
  readonly #kill = (): void => this.#children.forEach((child) => child.kill('SIGKILL'))

  constructor(count: number) {
    this.#children = Array.from({ length: count }, () => fork(program))
    process.once('exit', this.#kill)
  }

  get ids(): readonly number[] {
    return this.#children.map(({ pid = 0 }) => pid)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const running = this.#children.filter(
      ({ exitCode, signalCode }) => exitCode === null && signalCode === null,
    )
    const ended = running.map((child) => once(child, 'exit'))
    this.#kill()
    await Promise.all(ended)
    process.off('exit', this.#kill)
  }
}
