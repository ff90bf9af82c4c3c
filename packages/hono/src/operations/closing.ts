import { runNeutral } from '@heddle/context'
import { platform } from '@heddle/context/engine'

/** A server of node:http, node:https or node:http2. */
interface NodeServer {
  close(done: (error?: Error) => void): unknown
  on(event: 'session', listener: (session: Http2Session) => void): unknown
  closeIdleConnections?(): void
  closeAllConnections?(): void
}

interface Http2Session {
  close(): void
  destroy(): void
  once(event: 'close', listener: () => void): unknown
}

interface BunServer {
  stop(closeActiveConnections?: boolean): Promise<void>
}

export type ClosableServer = NodeServer | BunServer

/** How a server ends, on either runtime. */
export interface Closing {
  /** Stops accepting, and resolves when everything that was open has been answered. */
  close(): Promise<void>
  /** Breaks the connections that are still there. */
  cutOff(): Promise<void>
}

/** ms between two looks for connections of HTTP/1 that have become idle: Node keeps them for seconds. */
const SWEEP = 20

export function toClosing(server: ClosableServer): Closing {
  return 'stop' in server ? ofBun(server) : ofNode(server)
}

function ofBun(server: BunServer): Closing {
  return { close: () => server.stop(), cutOff: () => server.stop(true) }
}

function ofNode(server: NodeServer): Closing {
  const sessions = new Set<Http2Session>()
  server.on('session', (session) => {
    sessions.add(session)
    session.once('close', () => sessions.delete(session))
  })
  let closed: Promise<void> | undefined
  const close = (): Promise<void> => {
    closed ??= new Promise((resolve) => {
      const look = (): void => server.closeIdleConnections?.()
      // A request may have asked for the shutdown.
      const sweep = runNeutral(() => platform.setInterval(look, SWEEP))
      server.close(() => {
        platform.clearInterval(sweep)
        // An error says that it was not listening any more.
        resolve()
      })
      // Its streams end as usual, and it takes no new ones.
      for (const session of sessions) session.close()
    })
    return closed
  }
  return {
    close,
    cutOff() {
      server.closeAllConnections?.()
      for (const session of sessions) session.destroy()
      return close()
    },
  }
}
