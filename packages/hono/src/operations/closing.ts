import { closeAnswers } from './last-answers.ts'
import { NodeClosing, type NodeServer } from './node-closing.ts'

interface BunServer {
  stop(closeActiveConnections?: boolean): Promise<void>
}

export type ClosableServer = NodeServer | BunServer

/** How a server ends, on either runtime. */
export interface Closing {
  /**
   * Stops accepting, and resolves when everything that was open has been answered.
   *
   * @param limit - ms that it may take, after which `cutOff` is called
   */
  close(limit: number): Promise<void>
  /** Breaks the connections that are still there. */
  cutOff(): Promise<void>
}

export function isClosableServer(server: unknown): server is ClosableServer {
  if (typeof server !== 'object' || server === null) return false
  const { stop, close, on } = server as Partial<Record<string, unknown>>
  return typeof stop === 'function' || (typeof close === 'function' && typeof on === 'function')
}

export function toClosing(server: ClosableServer): Closing {
  return 'stop' in server ? new BunClosing(server) : new NodeClosing(server)
}

class BunClosing implements Closing {
  readonly #server: BunServer

  constructor(server: BunServer) {
    this.#server = server
  }

  async close(): Promise<void> {
    // Before it stops: a client that reads in its answer that this is the last one sends nothing after it.
    const answersGoOn = closeAnswers()
    try {
      await this.#server.stop()
    } finally {
      answersGoOn()
    }
  }

  cutOff(): Promise<void> {
    return this.#server.stop(true)
  }
}
