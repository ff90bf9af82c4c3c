import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'

/** What one of `worker.ts` is asked. */
export interface Round {
  readonly caller: string
  /** Items submitted together, and how often. */
  readonly burst: number
  readonly bursts: number
}

export interface Cost {
  /** CPU ns per item. */
  readonly time: number
  /** Allocated per item; NaN, which becomes `null` on its way, where the runtime does not tell. */
  readonly bytes: number | null
}

/** A batcher in a process of its own. */
export class Subject implements Disposable {
  readonly name: string
  readonly #process: ChildProcess
  /** Rejected when the process ends. */
  readonly #ended: Promise<never>

  constructor(name: string) {
    this.name = name
    this.#process = fork(join(import.meta.dirname, 'worker.ts'), [name], {
      env: { ...process.env, NODE_ENV: 'production' },
    })
    this.#ended = new Promise((_, reject) => {
      this.#process.once('exit', (code) => {
        reject(new Error(`The process of ${name} ended with ${code}`))
      })
    })
    // It ends when it has measured everything, too.
    this.#ended.catch(() => {})
  }

  async measure(round: Round): Promise<Cost> {
    const answer = new Promise<Cost>((resolve) => {
      this.#process.once('message', (cost) => resolve(cost as Cost))
    })
    this.#process.send(round)
    return Promise.race([answer, this.#ended])
  }

  [Symbol.dispose](): void {
    this.#process.disconnect()
  }
}
