import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'

import { type ClosableServer, gracefulShutdown } from '@heddle/hono'
import { serve } from '@hono/node-server'

const HOSTNAME = '127.0.0.1'

export interface RunningServer {
  readonly url: string
  /** Takes no new connections and resolves when every request is answered. */
  close(): Promise<void>
}

type Fetch = (request: Request, env?: any) => Response | Promise<Response>

/** As much of Bun's types as this file needs. */
interface BunRuntime {
  serve(options: { hostname: string; port: number; fetch: (request: Request) => unknown }): {
    readonly port: number
    stop(): Promise<void>
  }
}

/**
 * Serves with the server of this runtime.
 *
 * @param port - 0 for a free one
 * @throws Error when another process listens on the port
 */
export async function listen(fetch: Fetch, port: number): Promise<RunningServer> {
  try {
    const { Bun: bun } = globalThis as { Bun?: BunRuntime }
    return bun ? listenOnBun(bun, fetch, port) : await listenOnNode(fetch, port)
  } catch (error) {
    throw portError(port, error)
  }
}

/**
 * Looks before the seconds that the data takes to load.
 *
 * @throws Error when another process listens on the port
 */
export async function assertPortFree(port: number): Promise<void> {
  const probe = createServer()
  try {
    probe.listen(port, HOSTNAME)
    await once(probe, 'listening')
  } catch (error) {
    throw portError(port, error)
  }
  probe.close()
  await once(probe, 'close')
}

function listenOnBun(bun: BunRuntime, fetch: Fetch, port: number): RunningServer {
  const server = bun.serve({ hostname: HOSTNAME, port, fetch: (request) => fetch(request) })
  return { url: `http://${HOSTNAME}:${server.port}`, close: closing(server) }
}

async function listenOnNode(fetch: Fetch, port: number): Promise<RunningServer> {
  const server = serve({ fetch, hostname: HOSTNAME, port })
  const close = closing(server)
  await once(server, 'listening')
  return { url: `http://${HOSTNAME}:${(server.address() as AddressInfo).port}`, close }
}

/** Right after the server, since it must know its connections. */
function closing(server: ClosableServer): () => Promise<void> {
  const shutdown = gracefulShutdown({ server })
  return async () => void (await shutdown())
}

function portError(port: number, error: unknown): Error {
  const { code } = error as NodeJS.ErrnoException
  const reason = code === 'EADDRINUSE' ? 'is in use' : `cannot be used (${code})`
  return new Error(`Port ${port} ${reason}: choose another with --port`, { cause: error })
}
