import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'

import { PGlite } from '@electric-sql/pglite'

/** https://www.postgresql.org/docs/current/protocol-message-formats.html#PROTOCOL-MESSAGE-FORMATS-ERRORRESPONSE */
const SHUTTING_DOWN = message('E', 'SFATAL\0VFATAL\0C57P01\0Mterminating connection\0\0')

/**
 * A PostgreSQL server for tests, to be stopped and started again: PGlite behind a socket. PGlite is one session,
 * so one connection at a time has it, for a whole transaction.
 */
export class PostgresServer {
  readonly database: PGlite
  readonly #connections = new Set<Connection>()
  #server: Server | undefined
  #port = 0
  #turn: Promise<void> = Promise.resolve()

  private constructor(database: PGlite) {
    this.database = database
  }

  static async create(): Promise<PostgresServer> {
    return new PostgresServer(await PGlite.create())
  }

  get url(): string {
    return `postgres://postgres@127.0.0.1:${this.#port}/postgres`
  }

  /** Listens, on the same port each time. */
  async start(): Promise<void> {
    const server = createServer((socket) => {
      const connection = new Connection(this, socket)
      this.#connections.add(connection)
      socket.once('close', () => this.#connections.delete(connection))
    })
    server.listen(this.#port, '127.0.0.1')
    await once(server, 'listening')
    this.#port = (server.address() as AddressInfo).port
    this.#server = server
  }

  /** As a fast shutdown does: no new connections, and the open ones are told and cut off. */
  async stop(): Promise<void> {
    const closed = once(this.#server!, 'close')
    this.#server?.close()
    for (const connection of this.#connections) connection.cutOff()
    await closed
  }

  /** Waits until nobody has the session. */
  async take(): Promise<() => void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const before = this.#turn
    this.#turn = promise
    await before
    return resolve
  }
}

class Connection {
  readonly #server: PostgresServer
  readonly #socket: Socket
  #received: Buffer = Buffer.alloc(0)
  /** The first message has no type. */
  #isStarted = false
  #isCutOff = false
  #isAnswering = false
  #release: (() => void) | undefined

  constructor(server: PostgresServer, socket: Socket) {
    this.#server = server
    this.#socket = socket
    socket.on('error', () => {})
    socket.on('data', (data: Buffer) => {
      this.#received = Buffer.concat([this.#received, data])
      if (!this.#isAnswering) void this.#answer()
    })
    socket.once('close', () => void this.#leave())
  }

  /** Now, or with the answer to what it has asked: then its client has a connection in use, but no query. */
  cutOff(): void {
    this.#isCutOff = true
    if (!this.#isAnswering || this.#release === undefined) this.#socket.end(SHUTTING_DOWN)
  }

  async #answer(): Promise<void> {
    this.#isAnswering = true
    for (let asked = this.#next(); asked; asked = this.#next()) {
      this.#release ??= await this.#server.take()
      if (this.#socket.destroyed || this.#socket.writableEnded) break
      const answer = await this.#server.database.execProtocolRaw(asked)
      this.#isStarted = true
      if (this.#isCutOff) this.#socket.end(Buffer.concat([answer, SHUTTING_DOWN]))
      else this.#socket.write(answer)
      if (isIdle(answer)) this.#giveBack()
    }
    this.#isAnswering = false
    if (this.#socket.destroyed) await this.#leave()
  }

  /** All whole messages that have come. */
  #next(): Buffer | undefined {
    const head = this.#isStarted ? 1 : 0
    let end = 0
    while (this.#received.length >= end + head + 4) {
      const next = end + head + this.#received.readInt32BE(end + head)
      if (next > this.#received.length) break
      end = next
    }
    const messages = this.#received.subarray(0, end)
    this.#received = this.#received.subarray(end)
    // `X` ends the session, and is not answered.
    return end === 0 || messages[0] === 0x58 ? undefined : messages
  }

  async #leave(): Promise<void> {
    if (this.#isAnswering || this.#release === undefined) return
    const release = this.#release
    this.#release = undefined
    await this.#server.database.exec('ROLLBACK')
    release()
  }

  #giveBack(): void {
    this.#release?.()
    this.#release = undefined
  }
}

/** Whether it ends with a ReadyForQuery outside a transaction. */
function isIdle(answer: Uint8Array): boolean {
  return answer.length > 0 && answer.at(-6) === 0x5a && answer.at(-1) === 0x49
}

function message(type: string, text: string): Buffer {
  const body = Buffer.from(text)
  const head = Buffer.from(`${type}\0\0\0\0`)
  head.writeInt32BE(body.length + 4, 1)
  return Buffer.concat([head, body])
}
