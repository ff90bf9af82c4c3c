import { once } from 'node:events'
import {
  connect as connectHttp2,
  createServer as createHttp2Server,
  type ServerHttp2Stream,
} from 'node:http2'

import { withHttp, withServer } from '../loopback.ts'
import { listener, stream } from '../mends.ts'
import { inA, inB, seen, told } from '../probe.ts'
import { type Group, mendedRow, row } from '../row.ts'
import { webSocketServer } from '../web-socket.ts'

function withAnswer(use: (url: string) => Promise<string>): Promise<string> {
  return withHttp(
    (incoming, response) => {
      incoming.resume()
      if (incoming.url === '/never') return
      incoming.on('end', () => response.end('answer'))
    },
    (port) => use(`http://127.0.0.1:${port}`),
  )
}

export const fetching: Group = {
  title: '`fetch`, WebSocket and HTTP/2',
  rows: [
    row('`await fetch`', 'A', () =>
      withAnswer((url) =>
        inA(async () => {
          const response = await fetch(url)
          const saw = seen()
          await response.text()
          return saw
        }),
      ),
    ),
    row('`await response.text()`', 'A', () =>
      withAnswer((url) =>
        inA(async () => {
          const response = await fetch(url)
          await response.text()
          return seen()
        }),
      ),
    ),
    row('`for await` over `response.body`', 'A', () =>
      withAnswer((url) =>
        inA(async () => {
          const { body } = await fetch(url)
          for await (const _ of body ?? []);
          return seen()
        }),
      ),
    ),
    row('`await fetch` that B aborts', 'A', () =>
      withAnswer((url) => {
        const controller = new AbortController()
        inB(() => setTimeout(() => controller.abort(), 10))
        return inA(() => fetch(`${url}/never`, { signal: controller.signal }).catch(seen)).then(
          String,
        )
      }),
    ),
    mendedRow('request body: `pull`, fetched by A', 'A', stream, (bound) =>
      withAnswer(async (url) => {
        const { promise, resolve } = Promise.withResolvers<string>()
        await inA(async () => {
          const body = new ReadableStream<Uint8Array>(
            {
              pull(controller) {
                resolve(seen())
                controller.enqueue(new Uint8Array(1))
                controller.close()
              },
            },
            { highWaterMark: 0 },
          )
          const options = { method: 'POST', body: bound(body), duplex: 'half' } as const
          await (await fetch(url, options)).text()
        })
        return promise
      }),
    ),
    mendedRow('request body of A: `pull`, fetched by B', 'A', stream, (bound) =>
      withAnswer(async (url) => {
        const { promise, resolve } = Promise.withResolvers<string>()
        const body = inA(() =>
          bound(
            new ReadableStream<Uint8Array>(
              {
                pull(controller) {
                  resolve(seen())
                  controller.enqueue(new Uint8Array(1))
                  controller.close()
                },
              },
              { highWaterMark: 0 },
            ),
          ),
        )
        const options = { method: 'POST', body, duplex: 'half' } as const
        await inB(async () => (await fetch(url, options)).text())
        return promise
      }),
    ),
    mendedRow('`WebSocket` of A: `message`', 'A', listener, (wrapped) =>
      withServer(webSocketServer(), (port) => {
        const { promise, resolve } = Promise.withResolvers<void>()
        const saw = told((tell) =>
          inA(() => {
            const socket = new WebSocket(`ws://127.0.0.1:${port}`)
            socket.addEventListener(
              'message',
              wrapped(() => {
                tell()
                socket.close()
                resolve()
              }),
            )
            socket.addEventListener('error', () => {})
          }),
        )
        return promise.then(() => saw)
      }),
    ),
    mendedRow(
      'HTTP/2 client: `response` of A on a session that B opened',
      'A',
      listener,
      (wrapped) => {
        const server = createHttp2Server()
        server.on('stream', (incoming: ServerHttp2Stream) => {
          incoming.respond({ ':status': 200 })
          incoming.end('answer')
        })
        return withServer(server, async (port) => {
          const session = inB(() => connectHttp2(`http://127.0.0.1:${port}`))
          session.on('error', () => {})
          await once(session, 'connect')
          const saw = told((tell) =>
            inA(() => session.request().on('response', wrapped(tell)).resume().end()),
          )
          return saw.finally(() => session.destroy())
        })
      },
    ),
  ],
}
