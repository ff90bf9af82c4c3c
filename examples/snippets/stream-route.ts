import assert from 'node:assert/strict'

import { createStreamBatcher } from '@heddle/core'

const words = createStreamBatcher({
  name: 'words',
  async *run(prompts: readonly string[]) {
    for (const index of prompts.keys()) yield [index, 'there'] as const
  },
})

// #region stream
import { heddle, streamBatched } from '@heddle/hono'
import { Hono } from 'hono'

const app = new Hono()
app.use(heddle())
app.get('/words', async (c) => streamBatched(c, words.stream(c.req.query('prompt') ?? '')))
// #endregion

const text = await (await app.request('/words?prompt=Once')).text()
assert.match(text, /^data: "there"\n\nevent: done\ndata: \{"chunks":1/)
