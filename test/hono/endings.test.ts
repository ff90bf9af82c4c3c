/** Every way in which a request can come and end: its scope closes once, and at the right time. */
import { type Scope, snapshotCount } from '@heddle/context'
import { type Batcher, createBatcher } from '@heddle/core'
import { type Call, crank } from '@heddle/core/testing'
import { heddle, type HeddleVariables } from '@heddle/hono'
import { Hono } from 'hono'
import { stream, streamSSE } from 'hono/streaming'
import { afterEach, describe, expect, it, vi } from 'vitest'

import { sleep, until } from '../support/crank.ts'
import { type Connection, type Transport, transports } from './transports.ts'

/** What happened, in its order. */
type Log = string[]

class Service {
  readonly log: Log = []
  readonly scopes: Scope[] = []
  readonly batcher: Batcher<string, string>
  readonly calls: Call<string, string>[]
  readonly app: Hono<{ Variables: HeddleVariables }> = new Hono()

  constructor() {
    const { run, calls } = crank<string>()
    this.calls = calls
    this.batcher = createBatcher({ name: 'endings', run, maxQueueSize: 2, linger: 0 })
    const { app, log, batcher, scopes } = this
    app.use(heddle({ timeout: 200, serverTiming: true }))
    app.use(async (c, next) => {
      const scope = c.get('scope')
      scopes.push(scope)
      scope.onClose(() => log.push('closed'))
      await next()
    })
    app.get('/json', async (c) => c.json({ answer: await batcher.submit('json') }, 200))
    app.get('/empty', (c) => c.body(null, 204))
    app.get('/redirect', (c) => c.redirect('/json'))
    app.get('/throws', () => {
      throw new Error('the handler failed')
    })
    app.get('/stream', (c) =>
      stream(c, async (out) => {
        out.onAbort(() => void log.push('left'))
        for (const chunk of ['one', 'two']) {
          await out.write(chunk)
          log.push(chunk)
          await this.#mayGoOn(out)
        }
      }),
    )
    app.get('/sse', (c) => {
      const response = streamSSE(c, async (out) => {
        for (const data of ['one', 'two']) {
          await out.writeSSE({ data })
          log.push(data)
          await this.#mayGoOn(out)
        }
      })
      // Hono sets them for each stream of events, but HTTP/2 has no such headers, and Node refuses them.
      for (const name of ['Connection', 'Transfer-Encoding']) response.headers.delete(name)
      return response
    })
  }

  /** Streams go on when a test says so, or when nobody reads them. */
  hold: Promise<void> = Promise.resolve()

  async #mayGoOn({ aborted }: { readonly aborted: boolean }): Promise<void> {
    if (!aborted) await this.hold
    await sleep(2)
  }

  /** Takes the slot, so that whatever comes next waits. */
  async block(): Promise<void> {
    void this.batcher.submit('blocker')
    await until(() => this.calls.length === 1)
  }

  async finishAll(): Promise<void> {
    for (const { inputs, finish } of this.calls) finish(inputs)
    await sleep(5)
    for (const { inputs, finish } of this.calls) finish(inputs)
    await this.batcher.drain()
  }

  /** How many of the batcher's items are `word`. */
  ran(word: string): number {
    return this.calls.flatMap(({ inputs }) => inputs).filter((input) => input === word).length
  }
}

interface Case {
  readonly when: string
  readonly does: (service: Service, connection: Connection) => Promise<unknown>
  /** What `does` resolves with. */
  readonly expected: unknown
  /** What the app's own log has, with where the scope was closed. */
  readonly log: Log
  readonly reason?: string
}

async function answer(
  service: Service,
  connection: Connection,
  path: string,
  method = 'GET',
): Promise<readonly [number, string]> {
  const sent = connection.send(path, { method })
  if (path === '/json') {
    await until(() => service.calls.length > 0)
    service.calls[0]?.finish(['fine'])
  }
  const response = await sent
  return [response.status, await response.text()]
}

/** Sends a request, and leaves when `until` is true. */
async function leave(
  service: Service,
  connection: Connection,
  path: string,
  when: () => boolean,
): Promise<unknown> {
  const client = new AbortController()
  const sent = connection.send(path, { signal: client.signal })
  const response = path === '/json' ? undefined : await sent
  const reader = response?.body?.getReader()
  await reader?.read()
  await until(when)
  client.abort(new Error('the client left'))
  // Nobody else can tell a reader in the process that it is to read no more.
  reader?.cancel().catch(() => {})
  if (path === '/json') await sent.catch(() => {})
  const [scope] = service.scopes
  await until(() => scope?.signal.aborted === true || scope?.state === 'closed')
  return scope?.signal.reason instanceof Error
}

const cases: readonly Case[] = [
  {
    when: 'JSON is answered',
    does: (service, connection) => answer(service, connection, '/json'),
    expected: [200, '{"answer":"fine"}'],
    log: ['closed'],
  },
  {
    when: 'nothing is in the answer',
    does: (service, connection) => answer(service, connection, '/empty'),
    expected: [204, ''],
    log: ['closed'],
  },
  {
    when: 'only the head is asked for',
    does: (service, connection) => answer(service, connection, '/json', 'HEAD'),
    expected: [200, ''],
    log: ['closed'],
  },
  {
    when: 'it is sent elsewhere',
    does: (service, connection) => answer(service, connection, '/redirect'),
    expected: [302, ''],
    log: ['closed'],
  },
  {
    when: 'the answer is a stream',
    does: (service, connection) => answer(service, connection, '/stream'),
    expected: [200, 'onetwo'],
    log: ['one', 'two', 'closed'],
  },
  {
    when: 'the answer is a stream of events',
    does: (service, connection) => answer(service, connection, '/sse'),
    expected: [200, 'data: one\n\ndata: two\n\n'],
    log: ['one', 'two', 'closed'],
  },
  {
    when: 'the handler throws',
    does: (service, connection) => answer(service, connection, '/throws'),
    expected: [500, 'Internal Server Error'],
    log: ['closed'],
  },
  {
    when: 'there is no such route',
    does: (service, connection) => answer(service, connection, '/nowhere'),
    expected: [404, '404 Not Found'],
    log: ['closed'],
  },
  {
    when: 'its deadline passes',
    async does(_service, connection) {
      const response = await connection.send('/json')
      const { code } = (await response.json()) as { readonly code: string }
      return [response.status, code]
    },
    expected: [504, 'DEADLINE_EXCEEDED'],
    log: ['closed'],
  },
  {
    when: 'the queue is full',
    async does(service, connection) {
      await service.block()
      const others = [1, 2].map(() => service.batcher.submit('other'))
      const response = await connection.send('/json')
      const { code } = (await response.json()) as { readonly code: string }
      await service.finishAll()
      await Promise.all(others)
      return [response.status, code, Number(response.headers.get('retry-after')) >= 1]
    },
    expected: [503, 'QUEUE_FULL', true],
    log: ['closed'],
  },
  {
    when: 'the client leaves while its item is queued',
    async does(service, connection) {
      await service.block()
      const isError = await leave(service, connection, '/json', () => {
        return service.batcher.stats().queued === 1
      })
      // Gone before the next batch, not with it.
      const { queued } = service.batcher.stats()
      await service.finishAll()
      return [isError, queued, service.ran('json')]
    },
    expected: [true, 0, 0],
    log: ['closed'],
  },
  {
    when: 'the client leaves while its item runs',
    async does(service, connection) {
      const isError = await leave(service, connection, '/json', () => service.calls.length === 1)
      const { aborted } = service.calls[0]?.batch.signal ?? {}
      await service.finishAll()
      return [isError, aborted]
    },
    expected: [true, true],
    log: ['closed'],
  },
  {
    when: 'the client leaves in the middle of a stream',
    async does(service, connection) {
      const { promise, resolve } = Promise.withResolvers<void>()
      service.hold = promise
      const isError = await leave(service, connection, '/stream', () => service.log.length > 0)
      resolve()
      await sleep(20)
      return [isError, service.log.filter((entry) => entry === 'left')]
    },
    expected: [true, ['left']],
    log: ['one', 'closed'],
  },
]

const warned = vi.spyOn(process, 'emitWarning')
afterEach(() => warned.mockClear())

describe.each(transports)('$name: a scope closes once', ({ connect }: Transport) => {
  it.each(cases)('when $when', async ({ does, expected, log }) => {
    const before = snapshotCount()
    const service = new Service()
    const error = vi.spyOn(console, 'error').mockImplementation(() => {})
    {
      await using connection = await connect(service.app)
      expect(await does(service, connection)).toEqual(expected)
      // A member's scope is open until its batch has settled, also when the member has left.
      await service.finishAll()
      await until(() => service.log.includes('closed'))
    }
    await sleep(5)
    error.mockRestore()
    // Who leaves may have written a chunk more, or not.
    expect(service.log.filter((entry) => log.includes(entry))).toEqual(log)
    expect(service.log.filter((entry) => entry === 'closed')).toHaveLength(1)
    expect(service.scopes.map(({ state }) => state)).toEqual(['closed'])
    expect(snapshotCount().open).toBe(before.open)
    expect(warned).not.toHaveBeenCalled()
  })
})
