/** A request that a handler makes itself, with its own `c.env`, has a beginning and an end of its own. */
import type { ServerResponse } from 'node:http'

import { heddle, scopeOf } from '@heddle/hono'
import { type Context, Hono } from 'hono'
import { expect, it } from 'vitest'

import { until } from '../support/crank.ts'
import { listen } from '../support/server.ts'

interface Env {
  /** On Node alone. */
  outgoing?: ServerResponse
}

it('ends before the one it is made in', async () => {
  const events: string[] = []
  let listeners: (number | undefined)[] = []
  const app = new Hono<{ Bindings: Env }>()
  app.use(heddle(), async (c, next) => {
    scopeOf(c).onClose(() => events.push(`closed ${c.req.path}`))
    await next()
  })
  app.get('/inner', (c) => c.text('inner'))
  app.get('/outer', async (c: Context<{ Bindings: Env }>) => {
    await app.request('/inner', {}, c.env)
    const before = c.env.outgoing?.listenerCount('close')
    for (let request = 0; request < 19; request += 1) {
      expect(await (await app.request('/inner', {}, c.env)).text()).toBe('inner')
    }
    listeners = [before, c.env.outgoing?.listenerCount('close')]
    events.push('answers')
    return c.text('outer')
  })
  await using server = await listen(app)
  expect(await (await fetch(`${server.url}/outer`)).text()).toBe('outer')
  expect(events.slice(0, 21)).toEqual([...Array(20).fill('closed /inner'), 'answers'])
  expect(listeners[1]).toBe(listeners[0])
})

it('is another than one a middleware puts in the place of the one that came', async () => {
  const events: string[] = []
  const app = new Hono<{ Bindings: Env }>()
  app.use(async (c, next) => {
    c.req.raw = new Request(c.req.raw)
    await next()
  })
  app.use(heddle())
  app.get('/', (c) => {
    scopeOf(c).onClose(() =>
      events.push((c.env.outgoing?.writableFinished ?? true) ? 'after its answer' : 'early'),
    )
    return c.text('ok')
  })
  await using server = await listen(app)
  expect(await (await fetch(server.url)).text()).toBe('ok')
  await until(() => events.length > 0)
  expect(events).toEqual(['after its answer'])
})
