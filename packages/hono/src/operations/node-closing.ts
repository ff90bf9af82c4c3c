import { Server } from 'node:net'

import { platform } from '@heddle/context/engine'

import type { Closing } from './closing.ts'
import { Connection, type HttpRequest, type HttpResponse, type Socket } from './connection.ts'
import type { Http2Session } from './http2-session.ts'
import { Http2Sessions } from './http2-sessions.ts'
import { listenAlong } from './listen-along.ts'
import type { Listener, NodeServer } from './node-server.ts'
import { SILENCE, SWEEP } from './patience.ts'

/**
 * Ends a server of Node. Its own `close()` shuts connections that are idle at once, whatever is on its
 * way, and waits for those that are half-sent; so the connections are counted here, from the start.
 */
export class NodeClosing implements Closing {
  readonly #server: NodeServer
  readonly #connections = new Map<Socket, Connection>()
  /** Everything that holds the server open, whatever it speaks. */
  readonly #sockets = new Set<Socket>()
  readonly #sessions = new Http2Sessions()
  /** Sockets of TLS that have not shaken hands yet, by their peers. */
  readonly #handshakes = new Map<string, Socket>()
  #closed: Promise<void> | undefined
  #sweep: NodeJS.Timeout | undefined

  constructor(server: NodeServer) {
    this.#server = server
    server.on('session', (session: Http2Session) => this.#sessions.add(session))
    const isSecure = 'setSecureContext' in server
    server.on('connection', (socket: Socket) => {
      if (isSecure) this.#shaking(socket)
      else this.#connected(socket)
    })
    server.on('secureConnection', (socket: Socket) => this.#shaken(socket))
    const take = (request: HttpRequest, response: HttpResponse): void => {
      const connection = this.#connections.get(request.socket)
      if (connection) connection.take(request, response, this.#isClosing)
      else this.#sessions.take(request)
    }
    // Before the app's own listener, which may answer at once.
    if (server.prependListener) server.prependListener('request', take)
    else server.on('request', take)
    // Requests that the app is asked about before their bodies come: `request` is told by the app, if at all.
    const ask = (request: HttpRequest, response: HttpResponse): void => {
      this.#connections.get(request.socket)?.takeHead(request, response, this.#isClosing)
    }
    // Over HTTP/2 it comes with a response; its session counts it.
    const leave = (_request: HttpRequest, socket: Socket): void => {
      this.#connections.delete(socket)
    }
    listenAlong(
      server,
      new Map<string, Listener>([
        ['checkContinue', ask],
        ['checkExpectation', ask],
        ['connect', leave],
        ['upgrade', leave],
      ]),
    )
  }

  get #isClosing(): boolean {
    return this.#closed !== undefined
  }

  close(limit: number): Promise<void> {
    return (this.#closed ??= new Promise((resolve) => {
      this.#sweep = this.#sweeping(limit)
      for (const connection of this.#connections.values()) connection.sayLast()
      this.#stopListening(() => {
        platform.clearInterval(this.#sweep)
        // An error says that it was not listening any more.
        resolve()
      })
      this.#sessions.close()
    }))
  }

  #sweeping(limit: number): NodeJS.Timeout {
    const silence = Math.min(SILENCE, limit / 4)
    let before = platform.now()
    let waited = 0
    return platform.setInterval(() => {
      const now = platform.now()
      // A process that was busy has not read what has come meanwhile, so no more than this counts.
      const step = Math.min(now - before, 2 * SWEEP)
      before = now
      waited += step
      const patience = { silence, isOver: waited >= limit / 2 }
      for (const connection of this.#connections.values()) connection.endIfSilent(step, patience)
      this.#sessions.endIfSilent(step, patience)
    }, SWEEP)
  }

  cutOff(): Promise<void> {
    platform.clearInterval(this.#sweep)
    this.#server.closeAllConnections?.()
    this.#sessions.destroy()
    for (const socket of this.#sockets) socket.destroy()
    return this.close(0)
  }

  #shaking(socket: Socket): void {
    const peer = peerOf(socket)
    if (peer === undefined) {
      this.#hold(socket)
      return
    }
    this.#handshakes.set(peer, socket)
    this.#connected(socket)
    socket.once('close', () => {
      if (this.#handshakes.get(peer) === socket) this.#handshakes.delete(peer)
    })
  }

  /** From now on it is this that speaks HTTP; the socket below it only carries it. */
  #shaken(socket: Socket): void {
    const peer = peerOf(socket)
    const below = peer === undefined ? undefined : this.#handshakes.get(peer)
    if (below) this.#connections.delete(below)
    this.#connected(socket)
  }

  #connected(socket: Socket): void {
    this.#hold(socket)
    // Of HTTP/2 a session comes before its connection.
    if (!this.#sessions.carriedBy(socket)) this.#connections.set(socket, new Connection(socket))
  }

  #hold(socket: Socket): void {
    this.#sockets.add(socket)
    socket.once('close', () => {
      this.#sockets.delete(socket)
      this.#connections.delete(socket)
    })
  }

  #stopListening(done: () => void): void {
    const server = this.#server
    // That of node:http shuts what is idle.
    if (server instanceof Server) Server.prototype.close.call(server, done)
    else server.close(done)
  }
}

/** `undefined` on a Unix socket. */
function peerOf({ remoteAddress, remotePort }: Socket): string | undefined {
  return remotePort === undefined ? undefined : `${remoteAddress} ${remotePort}`
}
