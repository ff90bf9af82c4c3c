import { BunClosing, type BunServer } from './bun-closing.ts'
import { NodeClosing } from './node-closing.ts'
import type { NodeServer } from './node-server.ts'

export type ClosableServer = NodeServer | BunServer

/** How a server ends, on either runtime. */
export interface Closing {
  /**
   * Stops accepting, and resolves when everything that was open has been answered.
   *
   * @param limit - ms that it may take, after which `cutOff` is called
   */
  close(limit: number): Promise<void>
  /** Breaks the connections that are still there. */
  cutOff(): Promise<void>
}

export function isClosableServer(server: unknown): server is ClosableServer {
  if (typeof server !== 'object' || server === null) return false
  const { stop, close, on } = server as Partial<Record<string, unknown>>
  return typeof stop === 'function' || (typeof close === 'function' && typeof on === 'function')
}

export function toClosing(server: ClosableServer): Closing {
  return 'stop' in server ? new BunClosing(server) : new NodeClosing(server)
}
