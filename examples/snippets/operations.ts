import assert from 'node:assert/strict'

import { createBatcher } from '@heddle/core'
import { gracefulShutdown, type Health, heddleHealth } from '@heddle/hono'
import { serve } from '@hono/node-server'
import { Hono } from 'hono'

const users = createBatcher<string, string>({ name: 'users', run: (ids) => ids })

// #region operations
const app = new Hono()
const server = serve({ fetch: app.fetch, port: 0 })
const shutdown = gracefulShutdown({ server, batchers: [users], timeout: 5_000 })
process.once('SIGTERM', () => void shutdown())

app.get('/live', heddleHealth({ probe: 'live' }))
app.get('/ready', heddleHealth({ batchers: [users], maxAge: 2_000, closing: shutdown.signal }))
// #endregion

const ready = await app.request('/ready')
assert.equal(ready.status, 200)
assert.equal(((await ready.json()) as Health).batchers[0]?.queued, 0)
assert.equal(await shutdown(), true)
assert.equal((await app.request('/ready')).status, 503)
assert.equal((await app.request('/live')).status, 200)
