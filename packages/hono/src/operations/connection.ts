import { type Patience, Silence } from './patience.ts'

/** As much of a socket of Node as is needed here. */
export interface Socket {
  readonly bytesRead: number
  readonly writableFinished: boolean
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

/** A connection that speaks HTTP/1. */
export class Connection {
  readonly #socket: Socket
  /** Requests that have not been answered; more than one if the client pipelines. */
  #open = 0
  /** The latest of them. */
  #request: HttpRequest | undefined
  #response: HttpResponse | undefined
  /** ms for which the client has been waited for. */
  #idle = 0
  #silence: Silence | undefined
  /** How many bytes had come when the client asked whether to send the body. */
  #headEnd: number | undefined

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
    this.#headEnd = undefined
    response.on('close', () => this.#answered())
    if (isClosing) this.sayLast()
  }

  /** The app is asked whether the body may come. */
  takeHead(request: HttpRequest, response: HttpResponse, isClosing: boolean): void {
    this.take(request, response, isClosing)
    this.#headEnd = this.#socket.bytesRead
  }

  /** Tells the client that no answer follows the last one of those that are open. */
  sayLast(): void {
    if (this.#response?.headersSent === false) this.#response.setHeader('Connection', 'close')
  }

  /** @param step - ms since the last look */
  endIfSilent(step: number, patience: Patience): void {
    if (this.#isGivenUp(step, patience)) this.#socket.destroy()
  }

  #isGivenUp(step: number, patience: Patience): boolean {
    if (this.#open === 0) {
      // Also if the head of a request is coming: whoever sends it slowly may send it for ever.
      this.#idle += step
      return this.#idle >= patience.silence
    }
    this.#idle = 0
    const request = this.#request
    if (request === undefined || !isHalfSent(request)) return false
    if (patience.isOver) return true
    const { bytesRead } = this.#socket
    // It is the app that has to go on, as far as anybody knows.
    if (bytesRead === this.#headEnd) return false
    this.#silence ??= new Silence()
    return this.#silence.isOver(bytesRead, step, patience)
  }

  #answered(): void {
    this.#open -= 1
    if (this.#open === 0) this.#request = this.#response = this.#silence = undefined
  }
}

/** Whether it is the client that has to go on; with bytes to be read it is the app. */
export function isHalfSent(request: HttpRequest): boolean {
  return !request.complete && request.readableLength === 0
}
