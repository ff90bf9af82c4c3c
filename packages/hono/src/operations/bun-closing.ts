import { platform } from '@heddle/context/engine'

import type { Closing } from './closing.ts'
import { holdAnswers, sinceLatestAnswer, watchAnswers } from './last-answers.ts'
import { SILENCE, SWEEP } from './patience.ts'

export interface BunServer {
  stop(closeActiveConnections?: boolean): Promise<void>
  readonly pendingRequests?: number
  readonly pendingWebSockets?: number
}

/** ms between two looks at the requests that come while answers wait. */
const LOOK = 5
/** Looks without a new request, after which no client is thought to be about to send one. */
const QUIET = 4
/** The most looks. */
const LOOKS = 20
/** ms: who has been answered in this time may send again at once. */
const LATELY = 500

/**
 * Ends a server of Bun. Its connections cannot be reached, and when it stops it shuts those that are idle,
 * whatever is on its way. So under load it stops when its clients wait for answers, not between two.
 */
export class BunClosing implements Closing {
  readonly #server: BunServer
  #end: (() => void) | undefined

  constructor(server: BunServer) {
    this.#server = server
    watchAnswers(server)
  }

  async close(limit: number): Promise<void> {
    const isUnderLoad = sinceLatestAnswer(this.#server) < LATELY
    const answers = holdAnswers(this.#server)
    const { promise: isQuiet, resolve } = Promise.withResolvers<void>()
    let sweep: NodeJS.Timeout | undefined
    this.#end = () => {
      platform.clearInterval(sweep)
      answers.end()
    }
    try {
      if (isUnderLoad) await this.#gather(limit)
      const stopped = this.#server.stop()
      answers.letGo()
      sweep = this.#sweep(Math.min(SILENCE, limit / 4), resolve)
      await Promise.race([stopped, isQuiet])
    } finally {
      this.#end()
    }
  }

  cutOff(): Promise<void> {
    // It may never stop.
    this.#end?.()
    return this.#server.stop(true)
  }

  /** Resolves when no more requests come, or too many do. */
  async #gather(limit: number): Promise<void> {
    let most = 0
    let quiet = 0
    for (let looks = 0; quiet < QUIET && looks < LOOKS && looks * LOOK < limit / 4; looks += 1) {
      await new Promise((resolve) => platform.setTimeout(resolve, LOOK))
      const { pendingRequests = 0 } = this.#server
      quiet = pendingRequests > most ? 0 : quiet + 1
      most = Math.max(most, pendingRequests)
    }
  }

  /** The head of a request that comes slowly holds the server, but is no request for it. */
  #sweep(silence: number, isQuiet: () => void): NodeJS.Timeout {
    let looks = 0
    return platform.setInterval(() => {
      const { pendingRequests, pendingWebSockets = 0 } = this.#server
      looks = pendingRequests === 0 && pendingWebSockets === 0 ? looks + 1 : 0
      if (looks * SWEEP < silence) return
      looks = 0
      void this.#server.stop(true).then(isQuiet, isQuiet)
    }, SWEEP)
  }
}
