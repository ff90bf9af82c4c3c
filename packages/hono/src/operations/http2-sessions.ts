import { constants } from 'node:http2'

import { type HttpRequest, isHalfSent } from './connection.ts'
import { type Patience, Silence } from './patience.ts'

export interface Http2Session {
  close(): void
  destroy(): void
  once(event: 'close', listener: () => void): unknown
}

/** The sessions of a server that speaks HTTP/2: each ends by itself when it is told and its streams have ended. */
export class Http2Sessions {
  readonly #sessions = new Set<Http2Session>()
  /** The requests that have a body, until they are closed. */
  readonly #uploads = new Map<HttpRequest, Silence>()
  #hasNew = false

  add(session: Http2Session): void {
    this.#hasNew = true
    this.#sessions.add(session)
    session.once('close', () => this.#sessions.delete(session))
  }

  /** Whether one has been added since this was asked. */
  hasNew(): boolean {
    const hasNew = this.#hasNew
    this.#hasNew = false
    return hasNew
  }

  take(request: HttpRequest): void {
    if (request.stream?.endAfterHeaders !== false) return
    this.#uploads.set(request, new Silence())
    request.once('close', () => this.#uploads.delete(request))
  }

  /** The streams end as usual, and no new ones are taken. */
  close(): void {
    for (const session of this.#sessions) session.close()
  }

  /** @param step - ms since the last look */
  endIfSilent(step: number, patience: Patience): void {
    for (const [request, silence] of this.#uploads) {
      if (!isHalfSent(request)) continue
      if (patience.isOver || silence.isOver(request.socket.bytesRead, step, patience)) {
        request.stream?.close(constants.NGHTTP2_CANCEL)
      }
    }
  }

  destroy(): void {
    for (const session of this.#sessions) session.destroy()
  }
}
