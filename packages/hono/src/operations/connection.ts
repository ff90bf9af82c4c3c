/** As much of a socket of Node as is needed here. */
export interface Socket {
  readonly bytesRead: number
  readonly remoteAddress?: string | undefined
  readonly remotePort?: number | undefined
  once(event: 'close', listener: () => void): unknown
  destroy(): unknown
}

/** Of HTTP/1 and HTTP/2. */
export interface HttpRequest {
  /** Whether all of it has come, and over HTTP/2 been read. */
  readonly complete: boolean
  /** Bytes that have come and nobody has read. */
  readonly readableLength: number
  readonly socket: Socket
  /** HTTP/2 alone. */
  readonly stream?: Http2Stream
  once(event: 'close', listener: () => void): unknown
}

export interface Http2Stream {
  readonly endAfterHeaders: boolean
  close(code: number): void
}

export interface HttpResponse {
  readonly headersSent: boolean
  on(event: 'close', listener: () => void): unknown
  setHeader(name: string, value: string): unknown
  removeHeader(name: string): void
}

/** How long a server that closes waits for its clients; ms on the `performance.now()` clock. */
export interface Patience {
  readonly begin: number
  /** ms without a byte, after which a client is given up. */
  readonly silence: number
  /** When a request that has not come to its end, however slowly it comes, is given up. */
  readonly end: number
}

/** When the client of a request, or of a connection, has last sent something. */
export class Silence {
  #bytes = -1
  #since = 0

  /** Whether it has lasted too long, since the closing began. */
  isOver(bytes: number, now: number, { begin, silence }: Patience): boolean {
    if (bytes !== this.#bytes) {
      this.#since = this.#bytes === -1 ? begin : now
      this.#bytes = bytes
    }
    return now - this.#since >= silence
  }
}

/** A connection that speaks HTTP/1. */
export class Connection {
  readonly #socket: Socket
  /** Requests that have not been answered; more than one if the client pipelines. */
  #open = 0
  /** The latest of them. */
  #request: HttpRequest | undefined
  #response: HttpResponse | undefined
  /** Since when there is none. */
  #idleSince = 0
  readonly #silence = new Silence()

  constructor(socket: Socket) {
    this.#socket = socket
  }

  take(request: HttpRequest, response: HttpResponse, isClosing: boolean): void {
    // What comes behind an answer that says it is the last one would never be answered.
    if (isClosing && this.#response?.headersSent === false) {
      this.#response.removeHeader('Connection')
    }
    this.#open += 1
    this.#request = request
    this.#response = response
    response.on('close', () => this.#answered())
    if (isClosing) this.sayLast()
  }

  /** Tells the client that no answer follows the last one of those that are open. */
  sayLast(): void {
    if (this.#response?.headersSent === false) this.#response.setHeader('Connection', 'close')
  }

  endIfSilent(now: number, patience: Patience): void {
    if (this.#isGivenUp(now, patience)) this.#socket.destroy()
  }

  #isGivenUp(now: number, patience: Patience): boolean {
    if (this.#open === 0) {
      // Also if the head of a request is coming: whoever sends it slowly may send it for ever.
      return now - Math.max(this.#idleSince, patience.begin) >= patience.silence
    }
    const request = this.#request
    if (request === undefined || !isHalfSent(request)) return false
    return now >= patience.end || this.#silence.isOver(this.#socket.bytesRead, now, patience)
  }

  #answered(): void {
    this.#open -= 1
    if (this.#open > 0) return
    this.#request = this.#response = undefined
    this.#idleSince = performance.now()
  }
}

/** Whether it is the client that has to go on; with bytes to be read it is the app. */
export function isHalfSent(request: HttpRequest): boolean {
  return !request.complete && request.readableLength === 0
}
