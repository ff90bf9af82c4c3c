import type { Context } from 'hono'

/** What `Bun.serve` passes to `fetch` besides the request. */
export interface BunServer {
  /** `null` when the request is not one that this server still answers, and on unix sockets. */
  requestIP(request: Request): { readonly address: string } | null
}

/** The server is `c.env` itself, or `c.env.server`, as Hono's own adapter has it. */
export function bunServerOf(c: Context): BunServer | undefined {
  const env = (c.env ?? {}) as { readonly server?: unknown }
  return asServer(env.server) ?? asServer(env)
}

function asServer(value: unknown): BunServer | undefined {
  const server = value as BunServer | null | undefined
  return typeof server?.requestIP === 'function' ? server : undefined
}

/** The client's address; `undefined` once the request has been answered, and where the server tells none. */
export function addressOf(server: BunServer, request: Request): string | undefined {
  try {
    return server.requestIP(request)?.address
  } catch {
    // It is no request of this server, or no server of Bun.
    return undefined
  }
}
