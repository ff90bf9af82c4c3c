/** What a service needs to be run: probes, and an end that cuts nothing off. */
import { once } from 'node:events'
import { connect, createServer } from 'node:http2'
import type { AddressInfo } from 'node:net'

import { createBatcher } from '@heddle/core'
import { virtualClock } from '@heddle/core/testing'
import {
  gracefulShutdown,
  type Health,
  heddle,
  heddleHealth,
  type HealthOptions,
  type ShutdownOptions,
} from '@heddle/hono'
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'

import { crank, ended, turn, until } from '../support/crank.ts'
import { start } from './shutdown/start.ts'

async function healthOf(options: HealthOptions): Promise<{ status: number; health: Health }> {
  const app = new Hono()
  app.get('/', heddleHealth(options))
  const response = await app.request('/')
  expect(response.headers.get('cache-control')).toBe('no-store')
  return { status: response.status, health: (await response.json()) as Health }
}

describe('heddleHealth()', () => {
  it('is ready while nothing waits', async () => {
    const batchers = [createBatcher<number, number>({ name: 'users', run: (inputs) => inputs })]
    expect(await healthOf({ batchers })).toEqual({
      status: 200,
      health: {
        live: true,
        ready: true,
        closing: false,
        batchers: [{ name: 'users', queued: 0, oldest: 0, inFlight: 0 }],
      },
    })
    expect((await healthOf({})).health.batchers).toEqual([])
  })

  it('is not ready while an item waits too long, but live', async () => {
    using clock = virtualClock()
    const { run, calls } = crank<number>()
    const batcher = createBatcher({ name: 'slow', run })
    const items = [batcher.submit(1)]
    await clock.settle()
    items.push(batcher.submit(2))
    await clock.advance(5)
    const options = { batchers: [batcher], maxAge: 3 }
    const { status, health } = await healthOf(options)
    expect([status, health.ready, health.closing]).toEqual([503, false, false])
    expect(health.batchers).toMatchObject([{ name: 'slow', queued: 1, oldest: 5, inFlight: 1 }])
    expect((await healthOf({ ...options, maxAge: 6 })).status).toBe(200)
    const live = await healthOf({ ...options, probe: 'live' })
    expect([live.status, live.health.ready]).toEqual([200, false])
    calls[0]?.finish([1])
    await clock.settle()
    calls[1]?.finish([2])
    await Promise.all(items)
    expect((await healthOf(options)).status).toBe(200)
  })

  it('is not ready while it closes', async () => {
    const closing = new AbortController()
    expect((await healthOf({ closing: closing.signal })).status).toBe(200)
    closing.abort()
    expect(await healthOf({ closing: closing.signal })).toMatchObject({
      status: 503,
      health: { ready: false, closing: true },
    })
    const batcher = createBatcher<number, number>({ name: 'closed', run: (inputs) => inputs })
    await batcher.close()
    expect((await healthOf({ batchers: [batcher] })).status).toBe(503)
  })

  it('is not ready while a check is not met, throws, or is none', async () => {
    const bad: readonly (() => unknown)[] = [
      () => false,
      () => Promise.resolve(false),
      () => undefined,
      () => 'yes',
      () => Promise.reject(new Error('password=1234')),
      () => {
        throw new Error('password=1234')
      },
    ]
    const good = (): true => true
    for (const check of bad) {
      const checks = [good, check as () => boolean]
      const { status, health } = await healthOf({ checks })
      expect([status, health.ready]).toEqual([503, false])
      expect(JSON.stringify(health)).not.toContain('password')
    }
    const checks = [good, () => Promise.resolve(true)]
    expect(await healthOf({ checks })).toMatchObject({ status: 200, health: { ready: true } })
  })

  it('is not ready while a check hangs, which is not asked again until it has answered', async () => {
    const answer = Promise.withResolvers<boolean>()
    let asked = 0
    const checks = [
      () => {
        asked += 1
        return answer.promise
      },
    ]
    const app = new Hono()
    app.get('/', heddleHealth({ checks }))
    const statuses = await Promise.all([app.request('/'), app.request('/')])
    expect(statuses.map(({ status }) => status)).toEqual([503, 503])
    expect(asked).toBe(1)
    answer.resolve(true)
    await turn()
    expect((await app.request('/')).status).toBe(200)
    expect(asked).toBe(2)
  })

  it('asks no check for a probe of life', async () => {
    const checks = [() => new Promise<boolean>(() => {})]
    expect((await healthOf({ checks, probe: 'live' })).status).toBe(200)
  })
})

function batchedApp(): {
  readonly app: Hono
  readonly calls: ReturnType<typeof crank<string>>['calls']
  readonly options: Omit<ShutdownOptions, 'server'>
} {
  const { run, calls } = crank<string>()
  const batcher = createBatcher({ name: 'words', run, maxBatchSize: 1 })
  const app = new Hono()
  app.use(heddle())
  app.get('/:word', async (c) => {
    // One after the other: the second is submitted when the service is closing already.
    const first = await batcher.submit(c.req.param('word'))
    return c.text(first + (await batcher.submit('again')))
  })
  app.onError((_error, c) => c.text('cut off', 500))
  return { app, calls, options: { batchers: [batcher] } }
}

describe('gracefulShutdown()', () => {
  it('answers what is open, refuses what is new, and drains', async () => {
    const { app, calls, options } = batchedApp()
    const { server, url } = await start(app)
    const shutdown = gracefulShutdown({ server, ...options })
    const answer = fetch(`${url}/word`)
    await until(() => calls.length === 1)
    expect(shutdown.signal.aborted).toBe(false)
    const done = shutdown()
    expect(shutdown.signal.aborted).toBe(true)
    expect(shutdown()).toBe(done)
    expect(await ended(fetch(`${url}/late`))).toEqual(expect.any(String))
    calls[0]?.finish(['word '])
    await until(() => calls.length === 2)
    calls[1]?.finish(['again'])
    expect(await (await answer).text()).toBe('word again')
    expect(await done).toBe(true)
    expect(await ended(options.batchers?.[0]?.close() ?? Promise.reject())).toBe(undefined)
  })

  it('aborts what is not done in time', async () => {
    const { app, calls, options } = batchedApp()
    const { server, url } = await start(app)
    const shutdown = gracefulShutdown({ server, ...options, timeout: 30 })
    const answer = ended(fetch(`${url}/word`).then((response) => response.status))
    await until(() => calls.length === 1)
    expect(await shutdown()).toBe(false)
    expect(calls[0]?.batch.signal.aborted).toBe(true)
    // Answered with an error, or not at all.
    expect([500, 'fetch failed', 'ECONNRESET']).toContain(await answer)
  })

  it('runs what nobody waits for', async () => {
    const { run, calls } = crank<string>()
    const batcher = createBatcher({ name: 'background', run })
    const { server } = await start(new Hono())
    const item = batcher.submit('left alone')
    const done = gracefulShutdown({ server, batchers: [batcher] })()
    await until(() => calls.length === 1)
    calls[0]?.finish(['ran'])
    expect(await done).toBe(true)
    expect(await item).toBe('ran')
  })

  it.skipIf('bun' in process.versions)('lets the streams of HTTP/2 end', async () => {
    const { app, calls, options } = batchedApp()
    const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0, createServer })
    const shutdown = gracefulShutdown({ server, ...options })
    await once(server, 'listening')
    const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    const stream = session.request({ ':path': '/word' }).setEncoding('utf8')
    await until(() => calls.length === 1)
    const done = shutdown()
    calls[0]?.finish(['word '])
    await until(() => calls.length === 2)
    calls[1]?.finish(['again'])
    expect((await stream.toArray()).join('')).toBe('word again')
    expect(await done).toBe(true)
  })
})
