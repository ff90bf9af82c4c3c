import { once } from 'node:events'
import type { AddressInfo } from 'node:net'

import type { ClosableServer } from '@heddle/hono'
import { serve } from '@hono/node-server'
import type { Hono } from 'hono'

export const isBun: boolean = 'bun' in process.versions

export interface Running {
  readonly server: ClosableServer
  readonly url: string
}

interface BunLike {
  serve(options: object): { readonly port: number; stop(force?: boolean): Promise<void> }
}

/** Serves the app with the server of this runtime, on a free port of the loopback interface. */
export async function start(app: Hono<any>): Promise<Running> {
  const { Bun: bun } = globalThis as { Bun?: BunLike }
  if (bun) {
    const server = bun.serve({ hostname: '127.0.0.1', port: 0, fetch: app.fetch })
    return { server, url: `http://127.0.0.1:${server.port}` }
  }
  const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 })
  await once(server, 'listening')
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}
