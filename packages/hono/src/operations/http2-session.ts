import type { Socket } from './connection.ts'
import type { Patience } from './patience.ts'

/** As much of a session of node:http2 as is needed here. */
export interface Http2Session {
  readonly destroyed: boolean
  close(): void
  destroy(): void
  on(event: 'stream', listener: (stream: Closable) => void): unknown
  once(event: 'close', listener: () => void): unknown
}

interface Closable {
  once(event: 'close', listener: () => void): unknown
}

/** A session and what becomes of it when its server closes. */
export class SessionEnd {
  readonly #session: Http2Session
  /** What carries it, as soon as that is known; `session.socket` cannot be destroyed. */
  socket: Socket | undefined
  /** Requests that have not been answered. */
  #open = 0
  /** ms for which there has been none. */
  #idle = 0

  constructor(session: Http2Session) {
    this.#session = session
    session.on('stream', (stream) => {
      this.#open += 1
      stream.once('close', () => (this.#open -= 1))
    })
  }

  /** The streams end as usual, and no new ones are taken. */
  close(): void {
    this.#session.close()
  }

  /**
   * `close()` waits for ever for a client that does not answer.
   *
   * @param step - ms since the last look
   */
  endIfIdle(step: number, { silence }: Patience): void {
    // Also the head of a request that is coming is no stream yet: it may come for ever.
    this.#idle = this.#open === 0 ? this.#idle + step : 0
    if (this.#idle < silence) return
    // What is on its way still goes out, and a client is told; but it need not close its side.
    if (!this.#session.destroyed) this.#session.destroy()
    else if (this.socket?.writableFinished === true) this.socket.destroy()
  }

  destroy(): void {
    this.#session.destroy()
  }
}
