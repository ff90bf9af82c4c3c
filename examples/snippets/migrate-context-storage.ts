import assert from 'node:assert/strict'

// #region context-storage
import { createKey } from '@heddle/context'
import { createBatcher } from '@heddle/core'
import { heddle } from '@heddle/hono'
import { Hono } from 'hono'

const user = createKey<string>('app.user')

// Far from any handler, as with `getContext().var.user`.
const greeting = (): string => `Hello ${user.getOrThrow()}`

const app = new Hono()
app.use(heddle())
app.use(async (c, next) => {
  user.set(c.req.query('user') ?? 'nobody')
  await next()
})
app.get('/', (c) => c.text(greeting()))
// #endregion

// #region in-batch
const greetings = createBatcher({
  name: 'greetings',
  run: (names: readonly string[], batch) =>
    names.map((name, index) => {
      const own = batch.items[index]?.run(greeting) // this member's user
      return `${name}: ${own}`
    }),
})
// #endregion

export async function main(): Promise<void> {
  app.get('/batched', async (c) => c.text(await greetings.submit(c.req.query('user') ?? '')))
  const ask = async (path: string): Promise<string> => (await app.request(path)).text()
  assert.deepEqual(await Promise.all([ask('/?user=ada'), ask('/?user=eve')]), [
    'Hello ada',
    'Hello eve',
  ])
  assert.deepEqual(await Promise.all([ask('/batched?user=ada'), ask('/batched?user=eve')]), [
    'ada: Hello ada',
    'eve: Hello eve',
  ])
}
