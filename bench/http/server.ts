/** One app on a port of its own; it tells its parent the port and the runtime, and its CPU time when asked. */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'

import { serve } from '@hono/node-server'

import { runtime } from '../measure.ts'
import { appOf } from './apps.ts'

const app = appOf(process.argv[2] ?? '')
process.once('disconnect', () => process.exit())
process.on('message', () => {
  const { user, system } = process.cpuUsage()
  process.send?.({ cpu: user + system })
})
process.send?.({ port: await listen(), runtime })

async function listen(): Promise<number> {
  const { Bun: bun } = globalThis as { Bun?: { serve(options: object): { port: number } } }
  if (bun) return bun.serve({ hostname: '127.0.0.1', port: 0, fetch: app.fetch }).port
  const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 })
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}
