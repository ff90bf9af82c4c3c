/** A program as a user writes it: `scripts/pack.ts` installs the packed packages and runs it there. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'

import { createKey, runRequest, tryCurrent } from '@heddle/context'
import { isDevelopment } from '@heddle/context/engine'
import { type Batcher, createBatcher } from '@heddle/core'
import DataLoader, { type BatchLoadFn } from '@heddle/core/dataloader'
import { crank, virtualClock } from '@heddle/core/testing'
import { heddle, type HeddleVariables, scopeOf } from '@heddle/hono'
import { inspector } from '@heddle/hono/inspector'
import { HeddleInstrumentation, instrumentBatchers } from '@heddle/otel'
import { serve } from '@hono/node-server'
import { trace } from '@opentelemetry/api'
import { Hono } from 'hono'

const tenant = createKey<string>('app.tenant')
const kinds = new Set<string | undefined>()

const doubler: Batcher<number, number> = createBatcher({
  name: 'doubler',
  run: async (inputs: readonly number[]) => {
    kinds.add(tryCurrent()?.kind)
    assert.equal(tenant.get(), undefined)
    return inputs.map((n) => n * 2)
  },
})

// @ts-expect-error If this compiled, the types would have got lost on the way.
assert.ok(() => doubler.submit('1'))

const instrumentation = instrumentBatchers({ tracerProvider: trace.getTracerProvider() })
assert.equal(typeof new HeddleInstrumentation().enable, 'function')
assert.equal(typeof isDevelopment(), 'boolean')

const app = new Hono<{ Variables: HeddleVariables }>()
app.route('/_heddle', inspector())
app.use(heddle({ timeout: 5_000 }))
app.get('/double/:n', async (c) => {
  tenant.setOnce(c.req.header('x-tenant') ?? 'none')
  const doubled: number = await doubler.submit(Number(c.req.param('n')))
  assert.equal(scopeOf(c).id, c.get('requestId'))
  return c.text(`${tenant.getOrThrow()} ${doubled}`)
})

async function ask(url: string, who: string, n: number): Promise<string> {
  const response = await fetch(`${url}/double/${n}`, { headers: { 'x-tenant': who } })
  assert.ok(response.headers.get('x-request-id'))
  return response.text()
}

/** Calls `use` while the app is served on a free port, by the server of the runtime. */
async function whileServed<R>(use: (url: string) => Promise<R>): Promise<R> {
  const { Bun: bun } = globalThis as {
    Bun?: { serve(options: object): { readonly port: number; stop(force: boolean): Promise<void> } }
  }
  if (bun) {
    const server = bun.serve({ hostname: '127.0.0.1', port: 0, fetch: app.fetch })
    const result = await use(`http://127.0.0.1:${server.port}`)
    await server.stop(true)
    return result
  }
  const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 })
  await once(server, 'listening')
  const result = await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  server.close()
  if ('closeAllConnections' in server) server.closeAllConnections()
  return result
}

// The inspector is open in development alone, and to a client that comes by a socket.
process.env.NODE_ENV = 'development'
assert.equal((await app.request('/_heddle')).status, 403)
await whileServed(async (url) => {
  for (const file of ['', '/', '/inspector.js', '/inspector.css']) {
    assert.equal((await fetch(`${url}/_heddle${file}`)).status, 200)
  }
})

const answers = await whileServed((url) =>
  Promise.all([ask(url, 'acme', 1), ask(url, 'globex', 2)]),
)
const job = await runRequest({ entries: [tenant.of('job')] }, async () => {
  const doubled = await doubler.submit(3)
  return `${tenant.getOrThrow()} ${doubled}`
})
assert.deepEqual([...kinds], ['batch'])

const double: BatchLoadFn<number, number> = async (keys) => keys.map((n) => n * 2)
assert.deepEqual(await new DataLoader(double).loadMany([4, 4]), [8, 8])

const clock = virtualClock()
const { run, calls } = crank<string>()
const late: Batcher<string, string> = createBatcher({ name: 'late', run, linger: 60_000 })
const word = late.submit('word')
await clock.advance(60_000)
calls[0]?.finish(['echo'])
assert.equal(await word, 'echo')
clock[Symbol.dispose]()

instrumentation[Symbol.dispose]()
await doubler.close()
console.log([...answers, job].join(', '))
