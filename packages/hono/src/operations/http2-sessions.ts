import { constants } from 'node:http2'

import { type HttpRequest, isHalfSent, type Socket } from './connection.ts'
import { type Http2Session, SessionEnd } from './http2-session.ts'
import { type Patience, Silence } from './patience.ts'

/** The sessions of a server that speaks HTTP/2. */
export class Http2Sessions {
  readonly #sessions = new Set<SessionEnd>()
  /** The requests that have a body, until they are closed. */
  readonly #uploads = new Map<HttpRequest, Silence>()
  /** The latest, until its socket is known. */
  #new: SessionEnd | undefined
  #isClosing = false

  add(session: Http2Session): void {
    const end = new SessionEnd(session)
    this.#new = end
    this.#sessions.add(end)
    session.once('close', () => this.#sessions.delete(end))
    if (this.#isClosing) end.close()
  }

  /** Whether it is a session that the socket carries: then it has been added just before. */
  carriedBy(socket: Socket): boolean {
    if (this.#new === undefined) return false
    this.#new.socket = socket
    this.#new = undefined
    return true
  }

  take(request: HttpRequest): void {
    if (request.stream?.endAfterHeaders !== false) return
    this.#uploads.set(request, new Silence())
    request.once('close', () => this.#uploads.delete(request))
  }

  /** Also those that begin later: a handshake may take until then. */
  close(): void {
    this.#isClosing = true
    for (const session of this.#sessions) session.close()
  }

  /** @param step - ms since the last look */
  endIfSilent(step: number, patience: Patience): void {
    for (const session of this.#sessions) session.endIfIdle(step, patience)
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
