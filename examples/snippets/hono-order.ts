import assert from 'node:assert/strict'

// #region order
import { heddle } from '@heddle/hono'
import { Hono } from 'hono'
import { requestId } from 'hono/request-id'
import { timing } from 'hono/timing'

const app = new Hono()
app.use(requestId(), timing(), heddle({ serverTiming: true }))
app.get('/', (c) => c.text(c.get('requestId')))
// #endregion

const response = await app.request('/')
assert.equal(response.headers.get('x-request-id'), await response.text())
assert.match(response.headers.get('server-timing') ?? '', /^total;/)
