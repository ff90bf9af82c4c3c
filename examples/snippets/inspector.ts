import assert from 'node:assert/strict'

import { gracefulShutdown, heddle } from '@heddle/hono'
import { inspector } from '@heddle/hono/inspector'
import { serve } from '@hono/node-server'
import { type Context, Hono } from 'hono'

const before = process.env.NODE_ENV
process.env.NODE_ENV = 'development'

const app = new Hono()

// #region development
app.route('/_heddle', inspector())
app.use(heddle())
// #endregion

/** What the servers of Node put into `c.env`. */
const here = { incoming: { socket: { remoteAddress: '127.0.0.1' } } }
assert.equal((await app.request('/_heddle', {}, here)).status, 200)
assert.equal((await app.request('/_heddle/', {}, here)).status, 200)
assert.equal((await app.request('/_heddle')).status, 403)
assert.equal((await app.request('http://example.com/_heddle', {}, here)).status, 403)

if (before === undefined) delete process.env.NODE_ENV
else process.env.NODE_ENV = before
assert.equal((await app.request('/_heddle', {}, here)).status, 403)

const isOperator = (c: Context): boolean => c.req.header('x-operator') === 'yes'
const service = new Hono()

// #region production
const server = serve({ fetch: service.fetch, port: 0 })
const shutdown = gracefulShutdown({ server })
service.route('/_heddle', inspector({ authorize: isOperator, closing: shutdown.signal }))
// #endregion

assert.equal((await service.request('/_heddle')).status, 403)
assert.equal((await service.request('/_heddle', { headers: { 'x-operator': 'yes' } })).status, 200)
assert.equal(await shutdown(), true)
