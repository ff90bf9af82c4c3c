export type Listener = (...args: any[]) => void

/** A server of node:http, node:https or node:http2; what is like one needs two methods. */
export interface NodeServer {
  close(done: (error?: Error) => void): unknown
  on(event: string, listener: Listener): unknown
  prependListener?(event: string, listener: Listener): unknown
  removeListener?(event: string, listener: Listener): unknown
  listenerCount?(event: string): number
  closeAllConnections?(): void
}
