import assert from 'node:assert/strict'

// #region batch-route
import { batchRoute, heddle } from '@heddle/hono'
import { Hono } from 'hono'
import * as z from 'zod'

const length = batchRoute(
  { name: 'lengths', json: z.object({ text: z.string() }), maxBatchSize: 32 },
  (inputs) => inputs.map(({ text }) => ({ length: text.length })),
)

const app = new Hono().use(heddle()).post('/length', length)
// #endregion

const post = async (body: unknown): Promise<Response> =>
  app.request('/length', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })

assert.deepEqual(await (await post({ text: 'word' })).json(), { length: 4 })
assert.equal((await post({ text: 4 })).status, 400)
await length.batcher.close()
