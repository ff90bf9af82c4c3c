import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'

type Handler = (request: Request) => Response | Promise<Response>

interface BunServer {
  readonly port: number
  stop(force: boolean): Promise<void>
}

interface DenoServer {
  readonly addr: { readonly port: number }
  shutdown(): Promise<void>
}

const { Bun: bun, Deno: deno } = globalThis as {
  Bun?: { serve(options: object): BunServer }
  Deno?: { serve(options: object, handler: Handler): DenoServer }
}

/**
 * Serves `handler` on a free loopback port while `use` runs: with the server of Bun and of Deno, and on
 * Node with that of Hono.
 */
export async function withFetchServer<R>(
  handler: Handler,
  use: (url: string) => Promise<R>,
): Promise<R> {
  const { port, stop } = await start(handler)
  try {
    return await use(`http://127.0.0.1:${port}`)
  } finally {
    await stop()
  }
}

async function start(fetch: Handler): Promise<{ port: number; stop: () => Promise<void> }> {
  const hostname = '127.0.0.1'
  if (bun) {
    const server = bun.serve({ hostname, port: 0, fetch })
    return { port: server.port, stop: () => server.stop(true) }
  }
  if (deno) {
    const server = deno.serve({ hostname, port: 0, onListen() {} }, fetch)
    return { port: server.addr.port, stop: () => server.shutdown() }
  }
  const { serve } = await import('@hono/node-server')
  const server = serve({ fetch, hostname, port: 0 }) as Server
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}
