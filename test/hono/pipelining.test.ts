/** Requests that a client sends before it has the answers to those before. Each ends, also if the client leaves. */
import { EventEmitter } from 'node:events'

import type { Scope } from '@heddle/context'
import { heddle, type HeddleVariables, scopeOf } from '@heddle/hono'
import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'

import { turn, until } from '../support/crank.ts'
import { RawClient } from './shutdown/raw-client.ts'
import { isBun, start } from './shutdown/start.ts'

interface Socket {
  readonly closed: boolean
  listenerCount(event: string): number
}

/** `/wait/:name` is answered when the test says so, `/before/:name` comes to `heddle()` then. */
class Service {
  readonly app = new Hono<{ Variables: HeddleVariables }>()
  readonly scopes: Record<string, Scope> = {}
  readonly sockets = new Set<Socket>()
  readonly #waiting = new Map<string, () => void>()

  constructor() {
    this.app.use('/before/*', async ({ req }, next) => {
      await this.#wait(req.path)
      await next()
    })
    this.app.use(heddle())
    this.app.use(async (c, next) => {
      this.scopes[c.req.path] = scopeOf(c)
      const { incoming } = c.env as { readonly incoming: { readonly socket: Socket } }
      this.sockets.add(incoming.socket)
      await next()
    })
    this.app.get('/wait/:name', async (c) => {
      await this.#wait(c.req.path)
      return c.text(`answer to ${c.req.path}`)
    })
    this.app.get('/wait-for-signal', async (c) => {
      const { signal } = scopeOf(c)
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      return c.text('for nobody')
    })
    this.app.get('/stream', (c) =>
      c.body(
        new ReadableStream({
          async pull(controller) {
            await turn()
            controller.enqueue(new TextEncoder().encode('more'))
          },
        }),
      ),
    )
    this.app.get('/*', (c) => c.text(`answer to ${c.req.path}`))
  }

  async until(...paths: readonly string[]): Promise<void> {
    await until(() => paths.every((path) => path in this.scopes || this.#waiting.has(path)))
  }

  answer(path: string): void {
    this.#waiting.get(path)?.()
  }

  #wait(path: string): Promise<void> {
    return new Promise((resolve) => this.#waiting.set(path, resolve))
  }
}

// Bun answers one request of a connection after the other.
describe.skipIf(isBun)('a request that is pipelined', () => {
  it.each(['/text', '/stream', '/wait/2', '/wait-for-signal'])(
    'to %s ends when the client leaves before it is its turn',
    async (path) => {
      const service = new Service()
      const { url } = await start(service.app)
      const client = await RawClient.open(url)
      client.get('/wait/1')
      client.get(path)
      await service.until('/wait/1', path)
      client.destroy()
      await until(() => service.scopes[path]?.signal.aborted === true)
      expect(service.scopes[path]?.signal.reason).toMatchObject({ name: 'AbortError' })
      service.answer('/wait/1')
      service.answer(path)
      await until(() => Object.values(service.scopes).every(({ state }) => state === 'closed'))
    },
  )

  it('ends if the client has left before heddle() runs', async () => {
    const service = new Service()
    const { url } = await start(service.app)
    const client = await RawClient.open(url)
    client.get('/wait/1')
    client.get('/before/2')
    await service.until('/wait/1', '/before/2')
    client.destroy()
    await until(() => [...service.sockets].every(({ closed }) => closed))
    // Its `close` has been told, too.
    await turn()
    service.answer('/before/2')
    await until(() => service.scopes['/before/2']?.state === 'closed')
    expect(service.scopes['/before/2']?.signal.reason).toMatchObject({ name: 'AbortError' })
  })

  it('leaves nothing on a connection that lives on, and is complete', async () => {
    const service = new Service()
    const { url } = await start(service.app)
    const client = await RawClient.open(url)
    client.get('/first')
    await client.until('answer to /first')
    const [socket] = service.sockets
    await until(() => service.scopes['/first']?.state === 'closed')
    const before = socket?.listenerCount('close')
    client.get('/wait/0')
    const paths = Array.from({ length: 20 }, (_, index) => `/text/${index}`)
    for (const path of paths) client.get(path)
    await service.until('/wait/0', ...paths)
    // Node warns of more than ten.
    expect(socket?.listenerCount('close')).toBeLessThan(10)
    service.answer('/wait/0')
    await client.until('answer to /text/19')
    await until(() => Object.values(service.scopes).every(({ state }) => state === 'closed'))
    expect(Object.values(service.scopes).filter(({ signal }) => signal.aborted)).toEqual([])
    expect(service.sockets.size).toBe(1)
    expect(socket?.listenerCount('close')).toBe(before)
    client.destroy()
  })
})

it('ends with its connection if nobody tells the response, as on Node 22', async () => {
  const socket = Object.assign(new EventEmitter(), { closed: false })
  const incoming = { headers: {}, socket }
  const outgoing = Object.assign(new EventEmitter(), {
    socket: null,
    closed: false,
    headersSent: false,
    writableFinished: false,
  })
  const service = new Service()
  await service.app.request('/text', {}, { incoming, outgoing })
  expect(service.scopes['/text']?.state).toBe('settling')
  socket.emit('close')
  expect(service.scopes['/text']?.signal.reason).toMatchObject({ name: 'AbortError' })
  await until(() => service.scopes['/text']?.state === 'closed')
})
