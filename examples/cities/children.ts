import { fork, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'

import {
  ASK_USAGE,
  type LoadMessage,
  type LoadOptions,
  type LoadResult,
  type ServerMessage,
  type Usage,
} from './messages.ts'

/** ms that a process has to stop by itself. */
const GRACE = 5000

/** What becomes of its output; by default it goes where ours does. */
type Stdio = ['ignore', 'ignore', 'ignore', 'ipc']

const running = new Set<{ stop(): Promise<void> }>()

/** Resolves when every process that was started here has ended. */
export async function stopAll(): Promise<void> {
  await Promise.all([...running].map((child) => child.stop()))
}

/** A process of this example, on the runtime that runs this one; it sends messages of one type. */
class Child<Message> {
  readonly #process: ChildProcess
  readonly #name: string
  readonly #ended: Promise<void>

  /** @param variables - of its environment, in the place of those of this process */
  constructor(
    file: string,
    args: readonly string[] = [],
    variables: NodeJS.ProcessEnv = {},
    stdio?: Stdio,
  ) {
    this.#name = [file, ...args].join(' ')
    // As in production: Bun and Heddle do more for a developer than a server should.
    const env = { NODE_ENV: 'production', ...process.env, ...variables }
    this.#process = fork(fileURLToPath(new URL(file, import.meta.url)), args, {
      env,
      ...(stdio && { stdio }),
    })
    const { promise, resolve } = Promise.withResolvers<void>()
    // An error means that it could not be started, or that it is no longer there to be told something.
    this.#process.once('exit', () => resolve()).on('error', () => resolve())
    this.#ended = promise
    running.add(this)
  }

  send(message: object): void {
    this.#process.send(message)
  }

  /**
   * The next message that `pick` finds something in.
   *
   * @throws Error when the process ends before
   */
  receive<Found>(pick: (message: Message) => Found | undefined): Promise<Found> {
    const { promise, resolve, reject } = Promise.withResolvers<Found>()
    const onMessage = (message: unknown): void => {
      const found = pick(message as Message)
      if (found !== undefined) resolve(found)
    }
    this.#process.on('message', onMessage)
    void this.#ended.then(() => reject(new Error(`\`${this.#name}\` has stopped`)))
    return promise.finally(() => this.#process.off('message', onMessage))
  }

  async stop(): Promise<void> {
    this.#process.kill('SIGTERM')
    const force = setTimeout(() => this.#process.kill('SIGKILL'), GRACE)
    await this.#ended
    clearTimeout(force)
    running.delete(this)
  }
}

/** A server that listens. */
export class ServerProcess {
  readonly url: string
  readonly #child: Child<ServerMessage>

  private constructor(child: Child<ServerMessage>, url: string) {
    this.#child = child
    this.url = url
  }

  /** @param variables - of its environment, in the place of those of this process */
  static async start(
    app: string,
    port: number,
    variables?: NodeJS.ProcessEnv,
    stdio?: Stdio,
  ): Promise<ServerProcess> {
    const child = new Child<ServerMessage>(
      'server.ts',
      [app, '--port', String(port)],
      variables,
      stdio,
    )
    const url = await child.receive((message) => ('url' in message ? message.url : undefined))
    return new ServerProcess(child, url)
  }

  async usage(): Promise<Usage> {
    this.#child.send(ASK_USAGE)
    return this.#child.receive((message) => ('usage' in message ? message.usage : undefined))
  }

  stop(): Promise<void> {
    return this.#child.stop()
  }
}

/** Where the requests come from. */
export class LoadProcess {
  readonly #child = new Child<LoadMessage>('load.ts')

  async run(options: LoadOptions, onProgress: (requests: number) => void): Promise<LoadResult> {
    this.#child.send(options)
    return this.#child.receive((message) => {
      if ('result' in message) return message.result
      onProgress(message.progress)
      return undefined
    })
  }

  stop(): Promise<void> {
    return this.#child.stop()
  }
}
