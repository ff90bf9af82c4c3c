/** The ways a request reaches an app, and how its client reads the answer or leaves. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { type ClientHttp2Session, connect, constants, createServer } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'

import { serve } from '@hono/node-server'
import type { Hono } from 'hono'

import { listen } from '../../support/server.ts'

export interface Exchange {
  /** Resolves when the head of the answer is there; rejects when the client has left before. */
  readonly status: Promise<number>
  /** The rest of the answer. */
  text(): Promise<string>
  /** Resolves when the first part of the body is there. */
  firstChunk(): Promise<void>
  leave(): void
}

export interface Client extends AsyncDisposable {
  send(path: string, method: string): Exchange
}

export type Transport = (app: Hono<any>) => Promise<Client>

interface BunGlobals {
  serve(options: object): { readonly url: URL; stop(force: boolean): Promise<void> }
}

const { Bun: bun } = globalThis as { Bun?: BunGlobals }

/** Those of the runtime that runs the test. */
export const transports: Readonly<Record<string, Transport>> = bun
  ? {
      Bun: overSockets,
      'Bun in c.env.server': (app) =>
        overBun(bun, (request, server) => app.fetch(request, { server, own: 'variable' })),
      'Bun on a unix socket': (app) => overUnixSocket(bun, app),
      'in process': inProcess,
    }
  : { 'Node HTTP/1': overSockets, 'Node HTTP/2': overHttp2, 'in process': inProcess }

async function overSockets(app: Hono<any>): Promise<Client> {
  const server = await listen(app)
  return {
    send: (path, method) => exchange((init) => fetch(`${server.url}${path}`, init), method),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

function overBun(
  { serve: serveBun }: BunGlobals,
  answer: (request: Request, server: object) => unknown,
): Promise<Client> {
  const server = serveBun({ hostname: '127.0.0.1', port: 0, fetch: answer })
  return Promise.resolve({
    send: (path, method) => exchange((init) => fetch(new URL(path, server.url), init), method),
    [Symbol.asyncDispose]: () => server.stop(true),
  })
}

async function overUnixSocket({ serve: serveBun }: BunGlobals, app: Hono<any>): Promise<Client> {
  const folder = await mkdtemp(join(tmpdir(), 'heddle-'))
  const unix = join(folder, 'socket')
  const server = serveBun({ unix, fetch: app.fetch })
  const ask = (path: string, init: RequestInit): Promise<Response> =>
    fetch(`http://localhost${path}`, { ...init, unix } as RequestInit)
  return {
    send: (path, method) => exchange((init) => ask(path, init), method),
    async [Symbol.asyncDispose]() {
      await server.stop(true)
      await rm(folder, { recursive: true })
    },
  }
}

function inProcess(app: Hono<any>): Promise<Client> {
  return Promise.resolve({
    send: (path, method) => exchange(async (init) => app.request(path, init), method),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  })
}

function exchange(fetching: (init: RequestInit) => Promise<Response>, method: string): Exchange {
  const client = new AbortController()
  const response = fetching({ method, redirect: 'manual', signal: client.signal })
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined
  const read = async (): Promise<{ readonly done: boolean; readonly text: string }> => {
    reader ??= (await response).body?.getReader()
    const { done = true, value } = (await reader?.read()) ?? {}
    return { done, text: new TextDecoder().decode(value) }
  }
  return {
    status: response.then(({ status }) => status),
    async text() {
      let text = ''
      for (let part = await read(); !part.done; part = await read()) text += part.text
      return text
    },
    async firstChunk() {
      await read()
    },
    leave() {
      client.abort()
      // In process there is no connection that would break.
      void reader?.cancel().catch(() => {})
    },
  }
}

async function overHttp2(app: Hono<any>): Promise<Client> {
  const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0, createServer })
  await once(server, 'listening')
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  return {
    send: (path, method) => http2Exchange(session, path, method),
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      session.destroy()
      server.close()
      await closed
    },
  }
}

function http2Exchange(session: ClientHttp2Session, path: string, method: string): Exchange {
  const stream = session.request({ ':path': path, ':method': method })
  const body = Readable.toWeb(stream).getReader() as ReadableStreamDefaultReader<Uint8Array>
  const status = new Promise<number>((resolve, reject) => {
    stream.once('response', (headers) => resolve(Number(headers[constants.HTTP2_HEADER_STATUS])))
    // A stream that its own side cancels ends without an error.
    stream.once('close', () => reject(new Error('The stream ended without an answer')))
  })
  return {
    status,
    async text() {
      let text = ''
      for (let part = await body.read(); !part.done; part = await body.read()) {
        text += new TextDecoder().decode(part.value)
      }
      return text
    },
    async firstChunk() {
      const { done } = await body.read()
      assert.equal(done, false)
    },
    leave() {
      body.closed.catch(() => {})
      stream.close(constants.NGHTTP2_CANCEL)
    },
  }
}
