import { once } from 'node:events'
import {
  Agent,
  type ClientRequest,
  createServer,
  type IncomingMessage,
  request,
  type RequestOptions,
  type RequestListener,
  Server as HttpServer,
} from 'node:http'
import type { AddressInfo, Server } from 'node:net'

/** Listens on a free loopback port while `use` runs. */
export async function withServer<R>(server: Server, use: (port: number) => Promise<R>): Promise<R> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    return await use((server.address() as AddressInfo).port)
  } finally {
    server.close()
    if (server instanceof HttpServer) server.closeAllConnections()
  }
}

/** Serves HTTP with `handler` while `use` runs. */
export function withHttp<R>(
  handler: RequestListener,
  use: (port: number) => Promise<R>,
): Promise<R> {
  return withServer(createServer(handler), use)
}

/** Posts a small body and resolves when the answer has been read. */
export async function post(port: number, options: RequestOptions = {}): Promise<void> {
  await sent(request({ host: '127.0.0.1', port, method: 'POST', ...options }))
}

/** The same, but the body follows only when the handler has run. */
export async function postLater(port: number, handled: Promise<void>): Promise<void> {
  const outgoing = request({ host: '127.0.0.1', port, method: 'POST' })
  outgoing.flushHeaders()
  await handled
  await sent(outgoing)
}

async function sent(outgoing: ClientRequest): Promise<void> {
  outgoing.end('body')
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage]
  await once(answer.resume(), 'end')
}

/** An agent with one socket that is kept, so that requests share it. */
export async function withOneSocket<R>(use: (agent: Agent) => Promise<R>): Promise<R> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  try {
    return await use(agent)
  } finally {
    agent.destroy()
  }
}
