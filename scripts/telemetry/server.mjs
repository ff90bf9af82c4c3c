/** One server span for each request, whoever makes it, also with an incoming trace context. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { get } from 'node:http'
import { setTimeout } from 'node:timers/promises'

import { createBatcher } from '@heddle/core'
import { heddle } from '@heddle/hono'
import { serve } from '@hono/node-server'
import { httpInstrumentationMiddleware } from '@hono/otel'
import { context, ROOT_CONTEXT, SpanKind } from '@opentelemetry/api'
import { suppressTracing } from '@opentelemetry/core'
import { Hono } from 'hono'

const batcher = createBatcher({ name: 'cities', run: (ids) => ids })
const app = new Hono()
if (process.argv.includes('hono-otel')) app.use(httpInstrumentationMiddleware())
app.use(heddle())
app.get('/cities/:id', async (c) => c.text(await batcher.submit(c.req.param('id'))))
const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 })
await once(server, 'listening')
const { port } = server.address()

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
for (const headers of [{}, { traceparent }]) {
  // The client's own spans are not the point.
  const response = await context.with(suppressTracing(ROOT_CONTEXT), () => {
    const request = get({ port, host: '127.0.0.1', path: '/cities/7', headers })
    return once(request, 'response').then(([answer]) => answer)
  })
  response.resume()
  await once(response, 'end')
  await setTimeout(50)

  const spans = globalThis.spans.getFinishedSpans()
  const servers = spans.filter(({ kind }) => kind === SpanKind.SERVER)
  const names = spans.map(({ name }) => name).join(', ')
  assert.equal(servers.length, 1, `one server span, in ${names}`)
  const [{ name, parentSpanContext }] = servers
  assert.equal(name, 'GET /cities/:id')
  assert.equal(parentSpanContext?.spanId, headers.traceparent && 'b7ad6b7169203331')
  const { traceId } = servers[0].spanContext()
  const own = spans.filter((span) => span.spanContext().traceId === traceId)
  for (const part of ['wait cities', 'execute cities']) {
    assert.equal(own.filter((span) => span.name === part).length, 1, `${part}, in ${names}`)
  }
  globalThis.spans.reset()
}
console.log('ok')
process.exit()
