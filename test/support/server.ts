import { once } from 'node:events'
import type { AddressInfo } from 'node:net'

import { serve } from '@hono/node-server'
import type { Hono } from 'hono'

export interface RunningServer extends AsyncDisposable {
  /** For example `http://127.0.0.1:40123`. */
  readonly url: string
}

interface BunServer {
  readonly port: number
  stop(force: boolean): Promise<void>
}

/** Serves the app on a free loopback port, with the server of the runtime that runs the test. */
export async function listen(app: Hono<any>): Promise<RunningServer> {
  const { Bun: bun } = globalThis as { Bun?: { serve(options: object): BunServer } }
  if (bun) {
    // By default it cuts off whoever has waited for 10 s.
    const server = bun.serve({ hostname: '127.0.0.1', port: 0, fetch: app.fetch, idleTimeout: 0 })
    return {
      url: `http://127.0.0.1:${server.port}`,
      [Symbol.asyncDispose]: () => server.stop(true),
    }
  }
  // By default it closes connections that were idle for 5 s, one of which a client may be using again.
  const serverOptions = { keepAliveTimeout: 0 }
  const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0, serverOptions })
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      if ('closeAllConnections' in server) server.closeAllConnections()
      await closed
    },
  }
}

/** Calls `send` for 0 … count − 1, so many at a time, and resolves with the results in order. */
export async function load<T>(
  count: number,
  concurrency: number,
  send: (index: number) => Promise<T>,
): Promise<T[]> {
  const results: T[] = []
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < count) {
      const index = next
      next += 1
      results[index] = await send(index)
    }
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
  return results
}
