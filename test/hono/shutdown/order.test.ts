/** First the requests, then the batchers, then the telemetry; what fails or hangs stops nothing behind it. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'

import { createBatcher } from '@heddle/core'
import {
  type ClosableBatcher,
  type ClosableServer,
  type ClosableTelemetry,
  gracefulShutdown,
  heddle,
} from '@heddle/hono'
import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'

import { until } from '../../support/crank.ts'
import { start } from './start.ts'

const never = <T>(): Promise<T> => new Promise(() => {})

function rejects(what: string): () => Promise<void> {
  return () => Promise.reject(new Error(what))
}

function throws(what: string): () => Promise<void> {
  return () => {
    throw new Error(what)
  }
}

/** What is shut down, which notes when it is; each part may be replaced. */
function parts(
  events: string[],
  replaced: {
    server?: () => Promise<void>
    batcher?: () => Promise<void>
    telemetry?: unknown
  } = {},
): { server: ClosableServer; batchers: ClosableBatcher[]; telemetry: ClosableTelemetry } {
  const note = (event: string, call: unknown) => async (): Promise<void> => {
    events.push(event)
    if (call !== undefined) await (call as () => Promise<void>)()
  }
  return {
    server: { stop: note('server', replaced.server) },
    batchers: [{ close: note('batcher', replaced.batcher) }],
    telemetry: { shutdown: note('telemetry', replaced.telemetry) },
  }
}

/** What has been reported while `run` went on. */
async function warningsOf(run: () => Promise<unknown>): Promise<unknown[]> {
  const warnings: unknown[] = []
  const listen = (message: unknown): void => {
    const { code, topic, cause } = message as { code: string; topic: string; cause: Error }
    warnings.push([code, topic, cause.message])
  }
  subscribe('heddle:warning', listen)
  try {
    await run()
  } finally {
    unsubscribe('heddle:warning', listen)
  }
  return warnings
}

describe('gracefulShutdown()', () => {
  it('waits for each before it goes on to the next', async () => {
    const events: string[] = []
    const answered = Promise.withResolvers<void>()
    const drained = Promise.withResolvers<void>()
    const sent = Promise.withResolvers<void>()
    const shutdown = gracefulShutdown(
      parts(events, {
        server: () => answered.promise,
        batcher: () => drained.promise,
        telemetry: () => sent.promise,
      }),
    )
    const done = shutdown()
    await until(() => events.length === 1)
    answered.resolve()
    await until(() => events.length === 2)
    drained.resolve()
    await until(() => events.length === 3)
    expect(events).toEqual(['server', 'batcher', 'telemetry'])
    expect(shutdown()).toBe(done)
    sent.resolve()
    expect(await done).toBe(true)
    expect(shutdown()).toBe(done)
  })

  it.each([
    ['a server that hangs', { server: never }, ['server', 'batcher', 'server', 'telemetry']],
    [
      'a server that fails',
      { server: rejects('no server') },
      ['server', 'batcher', 'server', 'telemetry'],
    ],
    ['a batcher that hangs', { batcher: never }, ['server', 'batcher', 'batcher', 'telemetry']],
    [
      'a batcher that fails',
      { batcher: rejects('no batcher') },
      ['server', 'batcher', 'batcher', 'telemetry'],
    ],
    [
      'all that hang',
      { server: never, batcher: never, telemetry: never },
      ['server', 'batcher', 'batcher', 'server', 'telemetry'],
    ],
    ['telemetry that hangs', { telemetry: never }, ['server', 'batcher', 'telemetry']],
    [
      'telemetry that rejects',
      { telemetry: rejects('no telemetry') },
      ['server', 'batcher', 'telemetry'],
    ],
    [
      'telemetry that throws',
      { telemetry: throws('no telemetry') },
      ['server', 'batcher', 'telemetry'],
    ],
  ])('gives false for %s, and shuts all down', async (_what, replaced, order) => {
    const events: string[] = []
    expect(await gracefulShutdown({ ...parts(events, replaced), timeout: 40 })()).toBe(false)
    expect(events).toEqual(order)
  })

  it('aborts no batcher because another fails', async () => {
    const closes: unknown[] = []
    const steady: ClosableBatcher = {
      close: async (options) => void closes.push(options),
    }
    const broken: ClosableBatcher = { close: rejects('no batcher') }
    const shutdown = gracefulShutdown({
      server: { stop: () => Promise.resolve() },
      batchers: [broken, steady],
      timeout: 40,
    })
    expect(await shutdown()).toBe(false)
    expect(closes).toEqual([undefined])
  })

  it('reports what fails, with its cause', async () => {
    const failing = {
      server: rejects('no server'),
      batcher: rejects('no batcher'),
      telemetry: rejects('no telemetry'),
    }
    const warnings = await warningsOf(gracefulShutdown({ ...parts([], failing), timeout: 40 }))
    expect(warnings).toEqual([
      ['SHUTDOWN_FAILED', 'the server', 'no server'],
      ['SHUTDOWN_FAILED', 'a batcher', 'no batcher'],
      ['SHUTDOWN_FAILED', 'a batcher', 'no batcher'],
      ['SHUTDOWN_FAILED', 'the server', 'no server'],
      ['SHUTDOWN_FAILED', 'the telemetry', 'no telemetry'],
    ])
  })

  it('keeps time for the telemetry when the requests have used theirs', async () => {
    const events: string[] = []
    const { server, batchers } = parts(events, { server: never })
    const telemetry = {
      async shutdown() {
        events.push('telemetry')
        await new Promise((resolve) => setTimeout(resolve, 20))
        events.push('sent')
      },
    }
    expect(await gracefulShutdown({ server, batchers, telemetry, timeout: 1_000 })()).toBe(false)
    expect(events.slice(-2)).toEqual(['telemetry', 'sent'])
  })

  it('lets the answers out that are made as its time ends', async () => {
    const hanging = createBatcher<string, string>({ name: 'hanging', run: never })
    const app = new Hono()
    const seen: string[] = []
    app.use(heddle())
    app.get('/', async (c) => {
      seen.push('request')
      return c.text(await hanging.submit('x'))
    })
    const { server, url } = await start(app)
    const shutdown = gracefulShutdown({ server, batchers: [hanging], timeout: 1_000 })
    const response = fetch(url)
    await until(() => seen.length === 1)
    expect(await shutdown()).toBe(false)
    const answer = await response
    expect([answer.status, await answer.json()]).toMatchObject([503, { code: 'BATCHER_CLOSED' }])
  })

  // Three times the longest delay of a timer, the 300 ms that are kept, and a little.
  it.each([3 * (2 ** 31 - 1) + 305, Number.POSITIVE_INFINITY])(
    'takes %d ms as they are',
    async (timeout) => {
      const answer = Promise.withResolvers<void>()
      const app = new Hono()
      const seen: string[] = []
      app.get('/', async (c) => {
        seen.push('request')
        await answer.promise
        return c.text('answer')
      })
      const { server, url } = await start(app)
      const shutdown = gracefulShutdown({ server, timeout })
      const response = fetch(url)
      await until(() => seen.length === 1)
      const done = shutdown()
      // A timer of more than 2^31 - 1 ms fires after one.
      await new Promise((resolve) => setTimeout(resolve, 100))
      answer.resolve()
      expect(await (await response).text()).toBe('answer')
      expect(await done).toBe(true)
    },
  )
})

describe('what is like a server', () => {
  it('needs no more than to stop', async () => {
    const close = (done: () => void): void => done()
    for (const server of [{ close, on: () => {} }, { stop: () => Promise.resolve() }]) {
      expect(await gracefulShutdown({ server })()).toBe(true)
    }
  })
})
