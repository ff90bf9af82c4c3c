/** A server of Bun shuts what is idle when it stops. Here it is one that is turned by hand, on every runtime. */
import { gracefulShutdown, heddle } from '@heddle/hono'
import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'

import { until } from '../../support/crank.ts'

/** As the `c.env` of the app, as Bun gives it. */
class Server {
  readonly app = new Hono()
  readonly events: string[] = []
  pendingRequests = 0
  readonly #stopped = Promise.withResolvers<void>()

  constructor() {
    this.app.use(heddle())
    this.app.get('/:name', (c) => c.text('answer'))
  }

  async request(name: string, env: object = this): Promise<string> {
    this.pendingRequests += 1
    this.events.push(`request ${name}`)
    const response = await this.app.request(`/${name}`, {}, env)
    this.pendingRequests -= 1
    const connection = response.headers.get('connection') ?? 'kept'
    this.events.push(`answer ${name}: ${connection}`)
    if (this.pendingRequests === 0) this.#stopped.resolve()
    return connection
  }

  stop(): Promise<void> {
    this.events.push(`stop with ${this.pendingRequests} pending`)
    if (this.pendingRequests === 0) this.#stopped.resolve()
    return this.#stopped.promise
  }
}

describe('a server of Bun', () => {
  it('under load stops while its clients wait, and tells them that it was the last answer', async () => {
    const server = new Server()
    const shutdown = gracefulShutdown({ server })
    await server.request('a')
    const done = shutdown()
    const answers = [server.request('b'), server.request('c')]
    expect(await done).toBe(true)
    expect(await Promise.all(answers)).toEqual(['close', 'close'])
    expect(server.events).toEqual([
      'request a',
      'answer a: kept',
      'request b',
      'request c',
      'stop with 2 pending',
      'answer b: close',
      'answer c: close',
    ])
  })

  it('stops at once where nobody has been answered lately', async () => {
    const server = new Server()
    const shutdown = gracefulShutdown({ server })
    // In process, or of another server.
    await server.request('a', {})
    await server.request('b', new Server())
    server.events.length = 0
    const done = shutdown()
    expect(server.events).toEqual(['stop with 0 pending'])
    expect(await done).toBe(true)
  })

  it('leaves the answers of others alone', async () => {
    const [server, other] = [new Server(), new Server()]
    const shutdown = gracefulShutdown({ server })
    gracefulShutdown({ server: other })
    await server.request('a')
    const done = shutdown()
    expect(await other.request('b')).toBe('kept')
    await until(() => server.events.includes('stop with 0 pending'))
    expect(await done).toBe(true)
    expect(await server.request('c', {})).toBe('kept')
  })

  it('that does not stop for the half of a request is cut off once it is quiet', async () => {
    const calls: unknown[] = []
    const cut = Promise.withResolvers<void>()
    const server = {
      pendingRequests: 1,
      pendingWebSockets: 1,
      stop(force = false) {
        calls.push(force)
        if (force) cut.resolve()
        return cut.promise
      },
    }
    const done = gracefulShutdown({ server, timeout: 400 })()
    await until(() => calls.length === 1)
    server.pendingRequests = 0
    server.pendingWebSockets = 0
    expect(await done).toBe(true)
    expect(calls).toEqual([false, true])
  })
})
