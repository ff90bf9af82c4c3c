import { type Batcher, createBatcher } from '@heddle/core'
import { heddle } from '@heddle/hono'
import { Hono } from 'hono'

/** ms that a batch takes. */
const RUN_TIME = Number(process.env['RUN_TIME'] ?? 5)

async function findUsers(ids: readonly string[]): Promise<{ id: string }[]> {
  await new Promise((resolve) => setTimeout(resolve, RUN_TIME))
  return ids.map((id) => ({ id }))
}

export const users: Batcher<string, { id: string }> = createBatcher({
  name: 'users',
  run: findUsers,
})

export const app: Hono = new Hono()
app.use(heddle())
app.get('/users/:id', async (c) => c.json(await users.submit(c.req.param('id'))))
