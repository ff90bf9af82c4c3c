/** An upgrade to a WebSocket is a request that ends with the handshake; what follows is none of ours. */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'

import { type Scope, tryCurrent } from '@heddle/context'
import { heddle, type HeddleVariables, scopeOf } from '@heddle/hono'
import { serve, upgradeWebSocket as upgradeOnNode } from '@hono/node-server'
import { Hono } from 'hono'
import type { UpgradeWebSocket } from 'hono/ws'
import { expect, it } from 'vitest'
import { WebSocketServer } from 'ws'

import { until } from '../support/crank.ts'

const { Bun: bun } = globalThis as {
  Bun?: { serve(options: object): { readonly port: number; stop(force: boolean): Promise<void> } }
}
// The module wants the runtime's global when it is imported.
const onBun = bun && (await import('hono/bun'))
const upgradeWebSocket: UpgradeWebSocket<any> = onBun?.upgradeWebSocket ?? upgradeOnNode

/** @returns its port, and what stops it */
async function listen(app: Hono<any>): Promise<[port: number, stop: () => unknown]> {
  if (bun) {
    const { websocket } = onBun ?? {}
    const server = bun.serve({ port: 0, websocket, fetch: app.fetch })
    return [server.port, () => server.stop(true)]
  }
  const wss = new WebSocketServer({ noServer: true })
  const server = serve({ fetch: app.fetch, port: 0, websocket: { server: wss as any } })
  await once(server, 'listening')
  return [(server.address() as AddressInfo).port, () => server.close()]
}

it('a WebSocket works as without the middleware, and its scope closes with the handshake', async () => {
  const scopes: Scope[] = []
  const open: boolean[] = []
  const app = new Hono<{ Variables: HeddleVariables }>()
  app.use(heddle({ serverTiming: true }))
  app.get('/echo', async (c, next) => {
    scopes.push(scopeOf(c))
    await next()
  })
  app.get(
    '/echo',
    upgradeWebSocket(() => ({
      onMessage({ data }, socket) {
        open.push(tryCurrent()?.state === 'active')
        socket.send(typeof data === 'string' ? `echo ${data}` : 'no text')
      },
    })),
  )
  const [port, stop] = await listen(app)
  const socket = new WebSocket(`ws://127.0.0.1:${port}/echo`)
  await new Promise((resolve) => socket.addEventListener('open', resolve, { once: true }))
  const answered = new Promise<unknown>((resolve) => {
    socket.addEventListener('message', ({ data }) => resolve(data), { once: true })
  })
  socket.send('one')
  expect(await answered).toBe('echo one')
  await until(() => scopes[0]?.state === 'closed')
  expect(scopes.map(({ signal }) => signal.aborted)).toEqual([false])
  expect(open).toEqual([false])
  socket.close()
  await stop()
})
