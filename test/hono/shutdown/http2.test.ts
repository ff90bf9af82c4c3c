/** What becomes of the sessions of HTTP/2 when a service ends. The time limit is never what ends the test. */
import { once } from 'node:events'
import { connect, createSecureServer, createServer } from 'node:http2'
import { type AddressInfo, connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'

import { gracefulShutdown, heddle, type Shutdown } from '@heddle/hono'
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'

import { sleep, until } from '../../support/crank.ts'
import { isBun } from './start.ts'

/** ms; long enough that who waits for it fails the test by the test's own limit. */
const LONG = 600_000

const psk = { psk: Buffer.alloc(32, 1), identity: 'test' }
const tls = { ciphers: 'PSK', minVersion: 'TLSv1.2' as const, maxVersion: 'TLSv1.2' as const }

interface Service {
  readonly port: number
  readonly shutdown: Shutdown
  readonly handled: readonly string[]
  /** Answers `/`. */
  answer(): void
}

async function start(isSecure: boolean): Promise<Service> {
  const handled: string[] = []
  const slow = Promise.withResolvers<void>()
  const app = new Hono()
  app.use(heddle())
  app.use(async ({ req }, next) => {
    handled.push(req.path)
    await next()
  })
  app.get('/', async (c) => {
    await slow.promise
    return c.text('answer')
  })
  app.post('/body', async (c) => c.text(await c.req.text()))
  app.onError((_error, c) => c.text('failed', 500))
  const server = serve({
    fetch: app.fetch,
    hostname: '127.0.0.1',
    port: 0,
    ...(isSecure
      ? {
          createServer: createSecureServer,
          serverOptions: { ...tls, pskCallback: () => psk.psk },
        }
      : { createServer }),
  })
  const shutdown = gracefulShutdown({ server, timeout: LONG })
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { port, shutdown, handled, answer: slow.resolve }
}

/** It never ends its side, whatever the server says. */
async function open(port: number): Promise<Socket> {
  const socket = connectTcp({ port, host: '127.0.0.1', allowHalfOpen: true })
  // What ends it is told by `close`.
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

function secure(socket: Socket): TLSSocket {
  const secured = connectTls({
    ...tls,
    socket,
    ALPNProtocols: ['h2'],
    pskCallback: () => psk,
    checkServerIdentity: () => undefined,
  })
  secured.on('error', () => {})
  return secured
}

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
const SETTINGS = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0])
/** Without END_HEADERS: others of it follow. */
const HALF_A_HEAD = Buffer.from([0, 0, 3, 1, 0, 0, 0, 0, 1, 0x82, 0x84, 0x86])
/** GET / of localhost. */
const WHOLE_HEAD = Buffer.concat([
  Buffer.from([0, 0, 14, 1, 5, 0, 0, 0, 1, 0x82, 0x84, 0x86, 0x41, 9]),
  Buffer.from('localhost'),
])

describe.skipIf(isBun)('a session', () => {
  it.each<[name: string, sent: readonly Buffer[]]>([
    ['has sent nothing', []],
    ['has sent half a preface', [PREFACE.subarray(0, 10)]],
    ['has sent no settings', [PREFACE]],
    ['has sent no request', [PREFACE, SETTINGS]],
    ['has sent half a head', [PREFACE, SETTINGS, HALF_A_HEAD]],
  ])('does not hold it whose client %s', async (_name, sent) => {
    const { port, shutdown } = await start(false)
    const socket = await open(port)
    socket.write(Buffer.concat(sent))
    // Without an answer nothing would tell that it has come.
    await sleep(10)
    expect(await shutdown()).toBe(true)
    socket.destroy()
  })

  it('does not hold it whose client sends pings alone', async () => {
    const { port, shutdown } = await start(false)
    const socket = await open(port)
    socket.write(Buffer.concat([PREFACE, SETTINGS]))
    const ping = setInterval(() => {
      socket.write(Buffer.from([0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]))
    }, 20)
    expect(await shutdown()).toBe(true)
    clearInterval(ping)
    socket.destroy()
  })

  it.each(['has sent nothing', 'shakes no hands'])(
    'does not hold it over TLS whose client %s',
    async (name) => {
      const { port, shutdown } = await start(true)
      const socket = await open(port)
      if (name === 'has sent nothing') await once(secure(socket), 'secureConnect')
      expect(await shutdown()).toBe(true)
      socket.destroy()
    },
  )

  it('takes no request if its handshake ends when the shutdown has begun', async () => {
    const { port, shutdown, handled } = await start(true)
    const socket = await open(port)
    const done = shutdown()
    await sleep(10)
    const secured = secure(socket)
    const session = connect('https://localhost', { createConnection: () => secured })
    session.on('error', () => {})
    const request = session.request({ ':path': '/' })
    request.on('error', () => {})
    expect(await done).toBe(true)
    expect(handled).toEqual([])
    session.destroy()
  })

  it('goes on while one of its requests is being answered', async () => {
    const { port, shutdown, handled, answer } = await start(false)
    const session = connect(`http://127.0.0.1:${port}`)
    const request = session.request({ ':path': '/' }).setEncoding('utf8')
    await until(() => handled.includes('/'))
    const done = shutdown()
    // Longer than a client may be silent.
    await sleep(700)
    answer()
    expect((await request.toArray()).join('')).toBe('answer')
    expect(await done).toBe(true)
  })

  it('does not hold it when its client keeps the connection after the last answer', async () => {
    const { port, shutdown, handled, answer } = await start(false)
    const socket = await open(port)
    socket.write(Buffer.concat([PREFACE, SETTINGS, WHOLE_HEAD]))
    await until(() => handled.includes('/'))
    const done = shutdown()
    // Longer than a client may be silent.
    await sleep(700)
    answer()
    expect(await done).toBe(true)
    socket.destroy()
  })

  it('whose stream has half a body does not hold it, and others end as usual', async () => {
    const { port, shutdown, handled, answer } = await start(false)
    const url = `http://127.0.0.1:${port}`
    const unused = connect(url)
    await once(unused, 'connect')
    const session = connect(url)
    const half = session.request({ ':path': '/body', ':method': 'POST' })
    half.on('error', () => {})
    half.write('half')
    await until(() => handled.includes('/body'))
    const slow = session.request({ ':path': '/' }).setEncoding('utf8')
    await until(() => handled.includes('/'))
    const done = shutdown()
    await once(half, 'close')
    answer()
    expect((await slow.toArray()).join('')).toBe('answer')
    expect(await done).toBe(true)
    unused.destroy()
  })
})
