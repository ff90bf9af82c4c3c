import { once } from 'node:events'
import { Agent, createServer, get, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A server, and the keep-alive sockets of its client. */
export interface Upstream extends AsyncDisposable {
  /** Calls it, and takes all of the answer. */
  status(): Promise<number>
  openSockets(): Promise<number>
}

/** It answers when as many requests are there as there shall be sockets, so that each has its own. */
export async function openUpstream(sockets: number): Promise<Upstream> {
  const waiting: (() => void)[] = []
  // The sockets stay open however long the test takes to look at them.
  const server = createServer({ keepAliveTimeout: 0 }, (_request, response) => {
    waiting.push(() => response.end('fine'))
    if (waiting.length === sockets) for (const answer of waiting.splice(0)) answer()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const agent = new Agent({ keepAlive: true, maxFreeSockets: sockets })
  return {
    async status() {
      const request = get({ host: '127.0.0.1', port, agent })
      const [response] = (await once(request, 'response')) as [IncomingMessage]
      response.resume()
      await once(response, 'end')
      return response.statusCode ?? 0
    },
    openSockets: () =>
      new Promise((resolve, reject) => {
        server.getConnections((error, count) => (error ? reject(error) : resolve(count)))
      }),
    async [Symbol.asyncDispose]() {
      agent.destroy()
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
