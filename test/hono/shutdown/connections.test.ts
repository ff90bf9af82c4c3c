/** What becomes of each kind of connection when a service ends. The time limit is never what ends the test. */
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer as createHttps } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

import { gracefulShutdown, heddle } from '@heddle/hono'
import { serve, type ServerType } from '@hono/node-server'
import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'

import { sleep } from '../../support/crank.ts'
import { RawClient } from './raw-client.ts'
import { isBun, start } from './start.ts'

/** ms; long enough that who waits for it fails the test by the test's own limit. */
const LONG = 600_000

/** Answers `/slow/:name` when `answer()` is called, and the rest at once. */
class Service {
  readonly app = new Hono()
  /** What has come to a handler. */
  readonly handled: string[] = []
  readonly #slow = new Map<string, () => void>()

  constructor() {
    this.app.use(heddle())
    this.app.use(async (c, next) => {
      this.handled.push(c.req.path)
      await next()
    })
    this.app.get('/slow/:name', async (c) => {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#slow.set(c.req.param('name'), resolve)
      await promise
      return c.text(`answer to ${c.req.param('name')}`)
    })
    this.app.get('/fast/:name', (c) => c.text(`answer to ${c.req.param('name')}`))
    this.app.post('/body', async (c) => c.text(`body ${await c.req.text()}`))
    this.app.onError((_error, c) => c.text('failed', 500))
  }

  async until(path: string): Promise<void> {
    while (!this.handled.includes(path)) await sleep(1)
  }

  answer(name: string): void {
    this.#slow.get(name)?.()
  }
}

const CLOSE = /\r\nconnection: close\r\n/i

describe('an answer', () => {
  it('that was asked for before arrives, and says that it is the last one', async () => {
    const service = new Service()
    const { server, url } = await start(service.app)
    const shutdown = gracefulShutdown({ server, timeout: LONG })
    const client = await RawClient.open(url)
    client.get('/fast/a')
    expect(await client.until('answer to a')).not.toMatch(CLOSE)
    client.get('/slow/b')
    await service.until('/slow/b')
    const done = shutdown()
    service.answer('b')
    expect(await client.closed()).toMatch(/connection: close\r\n[^]*\r\n\r\nanswer to b$/i)
    expect(await done).toBe(true)
  })

  it.skipIf(isBun)('is given on a connection that was idle when it began', async () => {
    const service = new Service()
    const { server, url } = await start(service.app)
    const shutdown = gracefulShutdown({ server, timeout: LONG })
    const client = await RawClient.open(url)
    client.get('/fast/a')
    await client.until('answer to a')
    const done = shutdown()
    // The server has looked at its connections meanwhile.
    await sleep(60)
    client.get('/fast/b')
    expect(await client.closed()).toMatch(/connection: close\r\n[^]*\r\n\r\nanswer to b$/i)
    expect(await done).toBe(true)
  })

  it.skipIf(isBun)(
    'is given to every request that is pipelined; the last one says so',
    async () => {
      const service = new Service()
      const { server, url } = await start(service.app)
      const shutdown = gracefulShutdown({ server, timeout: LONG })
      const client = await RawClient.open(url)
      client.get('/slow/a')
      client.get('/slow/b')
      await service.until('/slow/b')
      const done = shutdown()
      client.get('/slow/c')
      await service.until('/slow/c')
      for (const name of ['c', 'b', 'a']) service.answer(name)
      const [, ...answers] = (await client.closed()).split('HTTP/1.1 200 OK')
      expect(answers.map((answer) => answer.slice(-1) + String(CLOSE.test(answer)))).toEqual([
        'afalse',
        'bfalse',
        'ctrue',
      ])
      expect(await done).toBe(true)
    },
  )

  it('that streams goes on to its end', async () => {
    const service = new Service()
    const end = Promise.withResolvers<void>()
    service.app.get('/stream', (c) =>
      c.body(
        new ReadableStream<Uint8Array>({
          async start(controller) {
            controller.enqueue(new TextEncoder().encode('first'))
            await end.promise
            controller.enqueue(new TextEncoder().encode('last'))
            controller.close()
          },
        }),
      ),
    )
    const { server, url } = await start(service.app)
    const shutdown = gracefulShutdown({ server, timeout: LONG })
    const client = await RawClient.open(url)
    client.get('/stream')
    await client.until('first')
    const done = shutdown()
    end.resolve()
    expect(await client.closed()).toContain('last')
    expect(await done).toBe(true)
  })
})

describe('a connection that is waited for in vain', () => {
  const requests: readonly [name: string, sent: string, isOnBun: boolean][] = [
    ['never used', '', true],
    ['idle', 'GET /fast/a HTTP/1.1\r\nHost: localhost\r\n\r\n', true],
    ['of half a head', 'GET /fast/a HTTP/1.1\r\nHo', true],
    // Bun's server gives no way to its connections.
    ['of half a body', 'POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf', false],
    [
      'of half a body in chunks',
      'POST /body HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n',
      false,
    ],
    [
      'of a body that never began',
      'POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n',
      false,
    ],
  ]

  it.each(requests.filter(([, , isOnBun]) => isOnBun || !isBun))(
    '%s does not hold it',
    async (_name, sent) => {
      const service = new Service()
      const { server, url } = await start(service.app)
      const shutdown = gracefulShutdown({ server, timeout: LONG })
      const client = await RawClient.open(url)
      if (sent !== '') client.send(sent)
      if (sent.startsWith('POST')) await service.until('/body')
      else await sleep(10)
      const done = shutdown()
      // Bun leaves one without a request to its own time-out, and has stopped.
      if (!isBun) await client.closed()
      expect(await done).toBe(true)
      client.destroy()
    },
  )

  it.skipIf(isBun).each([
    ['head', 'GET /fast/a HTTP/1.1\r\nX-Long: '],
    ['body', 'POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 99999\r\n\r\n'],
  ])('does not hold it for its whole time while its %s drips', async (_part, sent) => {
    const service = new Service()
    const { server, url } = await start(service.app)
    const shutdown = gracefulShutdown({ server, timeout: 4_000 })
    const client = await RawClient.open(url)
    client.send(sent)
    const drip = setInterval(() => client.send('x'), 20)
    await sleep(10)
    const done = shutdown()
    await client.closed()
    clearInterval(drip)
    expect(await done).toBe(true)
  })

  it.skipIf(isBun)('is not one whose body goes on coming', async () => {
    const service = new Service()
    const { server, url } = await start(service.app)
    const shutdown = gracefulShutdown({ server, timeout: LONG })
    const client = await RawClient.open(url)
    client.send('POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 20\r\n\r\n')
    await service.until('/body')
    const done = shutdown()
    for (let sent = 0; sent < 20; sent += 1) {
      await sleep(50)
      client.send('x')
    }
    expect(await client.closed()).toMatch(/body x{20}$/)
    expect(await done).toBe(true)
  })

  it.skipIf(isBun)('is not one whose handler has not read what has come', async () => {
    const service = new Service()
    const { promise, resolve } = Promise.withResolvers<void>()
    service.app.post('/later', async (c) => {
      await promise
      return c.text(`length ${(await c.req.text()).length}`)
    })
    const { server, url } = await start(service.app)
    const shutdown = gracefulShutdown({ server, timeout: LONG })
    const client = await RawClient.open(url)
    const length = 1_000_000
    client.send(`POST /later HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n\r\n`)
    client.send('x'.repeat(length))
    await service.until('/later')
    const done = shutdown()
    // Longer than a client may be silent.
    await sleep(700)
    resolve()
    expect(await client.closed()).toContain(`length ${length}`)
    expect(await done).toBe(true)
  })
})

describe.skipIf(isBun)('a connection that has left HTTP', () => {
  const upgrade = 'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: own\r\n\r\n'

  it.each(['before', 'after'])(
    'is the app’s to end; the app listened %s the shutdown was made',
    async (when) => {
      const { server, url } = await start(new Service().app)
      let shutdown = gracefulShutdown({ server, timeout: LONG })
      const node = server as ServerType
      const { signal } = shutdown
      const listen = (closing: AbortSignal): void => {
        node.on('upgrade', (_request, socket) => {
          socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\n')
          // Longer than a client may be silent.
          closing.addEventListener('abort', () => setTimeout(() => socket.end('bye'), 700))
        })
      }
      if (when === 'before') {
        node.removeAllListeners('upgrade')
        const controller = new AbortController()
        listen(controller.signal)
        shutdown = gracefulShutdown({ server, timeout: LONG })
        shutdown.signal.addEventListener('abort', () => controller.abort())
      } else listen(signal)
      const client = await RawClient.open(url)
      client.send(upgrade)
      await client.until('101 Switching Protocols')
      const done = shutdown()
      expect(await client.closed()).toMatch(/bye$/)
      expect(await done).toBe(true)
    },
  )

  it('is the app’s to end, if it is a tunnel', async () => {
    const { server, url } = await start(new Service().app)
    const shutdown = gracefulShutdown({ server, timeout: LONG })
    const node = server as ServerType
    node.on('connect', (_request: unknown, socket: Socket) => {
      socket.write('HTTP/1.1 200 Connected\r\n\r\n')
      // Longer than a client may be silent.
      shutdown.signal.addEventListener('abort', () => setTimeout(() => socket.end('bye'), 700))
    })
    const client = await RawClient.open(url)
    client.send('CONNECT other:1 HTTP/1.1\r\nHost: other:1\r\n\r\n')
    await client.until('200 Connected')
    const done = shutdown()
    expect(await client.closed()).toMatch(/bye$/)
    expect(await done).toBe(true)
  })

  it('is cut off when the time is over', async () => {
    const { server, url } = await start(new Service().app)
    const shutdown = gracefulShutdown({ server, timeout: 50 })
    const node = server as ServerType
    node.on('upgrade', (_request, socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\n')
    })
    const client = await RawClient.open(url)
    client.send(upgrade)
    await client.until('101 Switching Protocols')
    expect(await shutdown()).toBe(false)
    await client.closed()
  })

  it('is none where the app takes no upgrades', async () => {
    const service = new Service()
    const { server, url } = await start(service.app)
    const shutdown = gracefulShutdown({ server, timeout: LONG })
    const node = server as ServerType
    const take = (): void => {}
    node.once('upgrade', take)
    node.off('upgrade', take)
    expect(node.listenerCount('upgrade')).toBe(0)
    const client = await RawClient.open(url)
    client.send(upgrade.replace('GET /', 'GET /fast/a'))
    await client.until('answer to a')
    expect(await shutdown()).toBe(true)
  })
})

describe.skipIf(isBun)('a request that expects something', () => {
  const requestOf = (expected: string): string =>
    `POST /body HTTP/1.1\r\nHost: x\r\nExpect: ${expected}\r\nContent-Length: 4\r\n\r\n`

  it.each([
    ['checkContinue', '100-continue'],
    ['checkExpectation', 'patience'],
  ])('is answered by the app that listens to %s', async (event, expected) => {
    const { server, url } = await start(new Service().app)
    const shutdown = gracefulShutdown({ server, timeout: LONG })
    const node = server as ServerType
    const asked = Promise.withResolvers<ServerResponse>()
    node.on(event, (_request: unknown, response: ServerResponse) => asked.resolve(response))
    const client = await RawClient.open(url)
    client.send(requestOf(expected))
    const response = await asked.promise
    const done = shutdown()
    // Longer than a client may be silent.
    await sleep(700)
    response.end('no')
    expect(await client.closed()).toMatch(/connection: close\r\n[^]*no/i)
    expect(await done).toBe(true)
  })

  it('may be sent to its end, as the app lets it', async () => {
    const { server, url } = await start(new Service().app)
    const shutdown = gracefulShutdown({ server, timeout: LONG })
    const node = server as ServerType
    const asked = Promise.withResolvers<[IncomingMessage, ServerResponse]>()
    node.on('checkContinue', (request, response) => asked.resolve([request, response]))
    const client = await RawClient.open(url)
    client.send(requestOf('100-continue'))
    const [request, response] = await asked.promise
    const done = shutdown()
    response.writeContinue()
    node.emit('request', request, response)
    await client.until('100 Continue')
    client.send('body')
    expect(await client.closed()).toMatch(/connection: close\r\n[^]*body body$/i)
    expect(await done).toBe(true)
  })

  it('does not hold it if the body stops', async () => {
    const { server, url } = await start(new Service().app)
    const shutdown = gracefulShutdown({ server, timeout: LONG })
    const node = server as ServerType
    node.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
      request.resume()
      response.writeContinue()
    })
    const client = await RawClient.open(url)
    client.send(requestOf('100-continue'))
    await client.until('100 Continue')
    client.send('bo')
    await sleep(10)
    const done = shutdown()
    await client.closed()
    expect(await done).toBe(true)
  })

  it('is left to Node where the app does not listen', async () => {
    const { server, url } = await start(new Service().app)
    const shutdown = gracefulShutdown({ server, timeout: LONG })
    const node = server as ServerType
    const events = ['checkContinue', 'checkExpectation', 'connect']
    const take = (): void => {}
    for (const event of events) node.once(event, take).off(event, take)
    expect(events.map((event) => node.listenerCount(event))).toEqual([0, 0, 0])
    const client = await RawClient.open(url)
    client.send(requestOf('100-continue'))
    await client.until('100 Continue')
    client.send('body')
    await client.until('body body')
    expect(await shutdown()).toBe(true)
  })
})

describe.skipIf(isBun)('over TLS', () => {
  const psk = { psk: Buffer.alloc(32, 1), identity: 'test' }
  const tls = { ciphers: 'PSK', minVersion: 'TLSv1.2' as const, maxVersion: 'TLSv1.2' as const }

  it('answers arrive, and who shakes no hands does not hold it', async () => {
    const service = new Service()
    const serverOptions = { ...tls, pskCallback: () => psk.psk }
    const server = serve({
      fetch: service.app.fetch,
      hostname: '127.0.0.1',
      port: 0,
      createServer: createHttps as never,
      serverOptions: serverOptions as never,
    })
    const shutdown = gracefulShutdown({ server, timeout: LONG })
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const silent = await RawClient.open(`http://127.0.0.1:${port}`)
    const socket = connectTls({
      ...tls,
      port,
      host: '127.0.0.1',
      pskCallback: () => psk,
      checkServerIdentity: () => undefined,
    })
    await once(socket, 'secureConnect')
    const client = new RawClient(socket)
    client.get('/slow/a')
    await service.until('/slow/a')
    const done = shutdown()
    await silent.closed()
    service.answer('a')
    expect(await client.closed()).toMatch(/connection: close\r\n[^]*answer to a$/i)
    expect(await done).toBe(true)
  })
})
