import { once } from 'node:events'
import { connect, constants, createServer } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'

import { createAdaptorServer } from '@hono/node-server'
import type { Hono } from 'hono'

import { listen } from '../support/server.ts'

export interface Sending {
  readonly method?: string
  /** Aborts when the client leaves. */
  readonly signal?: AbortSignal
}

export interface Connection extends AsyncDisposable {
  send(path: string, sending?: Sending): Promise<Response>
}

/** How requests come to an app. */
export interface Transport {
  readonly name: string
  connect(app: Hono<any>): Promise<Connection>
}

const inProcess: Transport = {
  name: 'in-process',
  connect: async (app) => ({
    send: async (path, { method = 'GET', signal } = {}) => {
      const response = await app.request(path, { method, ...(signal ? { signal } : {}) })
      // Whoever has left in the process reads no more.
      if (signal?.aborted) await response.body?.cancel()
      return response
    },
    [Symbol.asyncDispose]: async () => {},
  }),
}

/** Node's HTTP/1, or Bun's server. */
const server: Transport = {
  name: process.versions['bun'] ? 'Bun' : 'Node, HTTP/1',
  async connect(app) {
    const running = await listen(app)
    return {
      send: (path, { method = 'GET', signal } = {}) =>
        fetch(running.url + path, { method, redirect: 'manual', ...(signal ? { signal } : {}) }),
      [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
    }
  },
}

const http2: Transport = {
  name: 'Node, HTTP/2',
  async connect(app) {
    const listening = createAdaptorServer({ fetch: app.fetch, createServer })
    listening.listen(0, '127.0.0.1')
    await once(listening, 'listening')
    const { port } = listening.address() as AddressInfo
    const session = connect(`http://127.0.0.1:${port}`)
    return {
      async send(path, { method = 'GET', signal } = {}) {
        const stream = session.request({ ':path': path, ':method': method })
        const failed = new Promise<never>((_, reject) => {
          stream.once('error', reject)
          signal?.addEventListener('abort', () => {
            reject(signal.reason)
            stream.close(constants.NGHTTP2_CANCEL)
          })
        })
        failed.catch(() => {})
        stream.end()
        const [headers] = (await Promise.race([once(stream, 'response'), failed])) as [
          Readonly<Record<string, string | number>>,
        ]
        const status = Number(headers[':status'])
        const isEmpty = method === 'HEAD' || [204, 304].includes(status)
        if (isEmpty) stream.resume()
        const body = isEmpty ? null : (Readable.toWeb(stream) as ReadableStream<Uint8Array>)
        const fields = Object.entries(headers).filter(([name]) => !name.startsWith(':'))
        return new Response(body, {
          status,
          headers: fields.map(([name, value]): [string, string] => [name, String(value)]),
        })
      },
      async [Symbol.asyncDispose]() {
        session.destroy()
        const closed = once(listening, 'close')
        listening.close()
        await closed
      },
    }
  },
}

export const transports: readonly Transport[] = process.versions['bun']
  ? [inProcess, server]
  : [inProcess, server, http2]
