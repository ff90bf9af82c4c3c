import assert from 'node:assert/strict'

const lengthsOf = (texts: readonly string[]): number[] => texts.map((text) => text.length)

// #region batched
import { createBatcher } from '@heddle/core'
import { batched, heddle } from '@heddle/hono'
import { sValidator } from '@hono/standard-validator'
import { Hono } from 'hono'
import * as z from 'zod'

const lengths = createBatcher({ name: 'lengths', run: lengthsOf })

const app = new Hono()
  .use(heddle())
  .post(
    '/length',
    sValidator('json', z.object({ text: z.string() })),
    batched('lengthOf', lengths),
    async (c) => {
      const length = await c.var.lengthOf(c.req.valid('json').text)
      return c.json({ length }, 200)
    },
  )
// #endregion

// #region client
import { hc } from 'hono/client'

const client = hc<typeof app>('http://localhost', { fetch: app.request })
const answer = await client.length.$post({ json: { text: 'word' } })
if (answer.status === 503) console.log((await answer.json()).code) // 'QUEUE_FULL' | 'BATCHER_CLOSED'
if (answer.status === 200) console.log((await answer.json()).length)
// #endregion

assert.equal(answer.status, 200)
