import type { Closing } from './closing.ts'
import { closeAnswers } from './last-answers.ts'
import { SILENCE, SWEEP } from './patience.ts'

export interface BunServer {
  stop(closeActiveConnections?: boolean): Promise<void>
  readonly pendingRequests?: number
  readonly pendingWebSockets?: number
}

/** Ends a server of Bun. Its connections cannot be reached, so it is the server itself that ends them. */
export class BunClosing implements Closing {
  readonly #server: BunServer

  constructor(server: BunServer) {
    this.#server = server
  }

  async close(limit: number): Promise<void> {
    // Before it stops: a client that reads in its answer that this is the last one sends nothing after it.
    const answersGoOn = closeAnswers()
    const { promise: isQuiet, resolve } = Promise.withResolvers<void>()
    const sweep = this.#sweep(Math.min(SILENCE, limit / 4), resolve)
    try {
      await Promise.race([this.#server.stop(), isQuiet])
    } finally {
      clearInterval(sweep)
      answersGoOn()
    }
  }

  cutOff(): Promise<void> {
    return this.#server.stop(true)
  }

  /** The head of a request that comes slowly holds the server, but is no request for it. */
  #sweep(silence: number, isQuiet: () => void): ReturnType<typeof setInterval> {
    let looks = 0
    return setInterval(() => {
      const { pendingRequests, pendingWebSockets = 0 } = this.#server
      looks = pendingRequests === 0 && pendingWebSockets === 0 ? looks + 1 : 0
      if (looks * SWEEP < silence) return
      looks = 0
      void this.#server.stop(true).then(isQuiet, isQuiet)
    }, SWEEP)
  }
}
