import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** A connection of which every byte is the test's to send. */
export class RawClient {
  readonly #socket: Socket
  #received = ''
  #isClosed = false
  readonly #changed = new Set<() => void>()

  static async open(url: string): Promise<RawClient> {
    const { port, hostname } = new URL(url)
    const socket = connect(Number(port), hostname)
    await once(socket, 'connect')
    return new RawClient(socket)
  }

  constructor(socket: Socket) {
    this.#socket = socket
    socket.setEncoding('utf8')
    socket.on('data', (text: string) => {
      this.#received += text
      this.#notify()
    })
    // What ends it is seen by what has come before.
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#isClosed = true
      this.#notify()
    })
  }

  send(text: string): void {
    this.#socket.write(text)
  }

  get(path: string): void {
    this.send(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
  }

  /** Resolves with everything that has come, when it has this text in it. */
  async until(text: string): Promise<string> {
    while (!this.#received.includes(text)) {
      if (this.#isClosed) throw new Error(`Closed after ${JSON.stringify(this.#received)}`)
      await this.#change()
    }
    return this.#received
  }

  /** Resolves with everything that has come, when the server has closed the connection. */
  async closed(): Promise<string> {
    while (!this.#isClosed) await this.#change()
    return this.#received
  }

  destroy(): void {
    this.#socket.destroy()
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#changed.add(resolve)
    })
  }

  #notify(): void {
    for (const resolve of this.#changed) resolve()
    this.#changed.clear()
  }
}
