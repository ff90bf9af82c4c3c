import assert from 'node:assert/strict'

// #region hono
import { heddle, type HeddleVariables } from '@heddle/hono'
import { Hono } from 'hono'

const app = new Hono<{ Variables: HeddleVariables }>()
app.use(heddle({ timeout: 5_000 }))
app.get('/', (c) => c.text(`request ${c.get('requestId')}`))
// #endregion

const response = await app.request('/', { headers: { 'x-request-id': 'r-1' } })
assert.equal(await response.text(), 'request r-1')
