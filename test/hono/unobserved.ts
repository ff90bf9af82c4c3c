/** Run by leaving.test.ts: clients that leave at some moment, of an app that awaits nothing; prints what that left. */
import { once } from 'node:events'
import { request } from 'node:http'

import { createBatcher, createStreamBatcher } from '@heddle/core'
import { batched, batchRoute, heddle, scopeOf, streamBatched } from '@heddle/hono'
import { type Context, Hono } from 'hono'
import { z } from 'zod'

import { until } from '../support/crank.ts'
import { listen } from '../support/server.ts'

const unhandled: string[] = []
process.on('unhandledRejection', (reason) => void unhandled.push(String(reason)))

const never = (): Promise<never> => new Promise(() => {})
const audit = createBatcher<string, string>({ name: 'audit', run: never })
const words = createStreamBatcher<string, string>({
  name: 'words',
  // A generator that never goes on keeps its slot.
  maxConcurrency: 9,
  async *run(inputs) {
    if (inputs.includes('speaks')) for (const index of inputs.keys()) yield [index, 'word']
    await never()
  },
})
const embed = batchRoute({ name: 'embed', query: z.object({}) }, never)

/** How many handlers have come to where their clients leave. */
let reached = 0

/** The client leaves now. */
async function left(c: Context): Promise<void> {
  const { signal } = scopeOf(c)
  reached += 1
  if (!signal.aborted) await once(signal, 'abort')
}

const app = new Hono()
app.use('/late/*', heddle({ timeout: 5 }))
app.use(heddle())
app.get('/before', async (c) => {
  await left(c)
  void audit.submit('visit')
  return c.text('ok')
})
app.get('/late/submit', async (c) => {
  await until(() => scopeOf(c).elapsed() > 5)
  void audit.submit('visit')
  await left(c)
  return c.text('ok')
})
app.get('/waiting', async (c) => {
  void audit.submit('visit')
  await left(c)
  return c.text('ok')
})
app.get('/batched', batched('record', audit), async (c) => {
  await left(c)
  void c.var.record('visit')
  return c.text('ok', 200)
})
app.get('/route', async (c, next) => {
  void left(c)
  await embed(c, next)
})
app.get('/silent', (c) => {
  void left(c)
  return streamBatched(c, words.stream('silent'))
})
app.get('/speaks', (c) => {
  void left(c)
  return streamBatched(c, words.stream('speaks'))
})
app.get('/generated', (c) => {
  void left(c)
  return streamBatched(c, generated())
})
app.get('/unread', async (c) => {
  const chunks = words.stream('silent')
  void chunks.next()
  await left(c)
  void chunks.next()
  void words.stream('late').next()
  return c.text('ok')
})

async function* generated(): AsyncGenerator<string> {
  for await (const word of words.stream('speaks')) yield word
}

const server = await listen(app)
const paths = app.routes.map(({ path }) => path).filter((path) => !path.includes('*'))
const visited: string[] = []
for (const path of new Set(paths)) {
  const client = request(`${server.url}${path}`)
  client.on('error', () => {})
  const isStream = path === '/speaks' || path === '/generated'
  const before = reached
  client.end()
  if (isStream) {
    const [response] = await once(client, 'response')
    await once(response, 'data')
  }
  await until(() => reached > before)
  client.destroy()
  visited.push(path)
}
const ended = (): number => {
  const all = [audit, words, embed.batcher].map((batcher) => batcher.stats().rejected)
  return all.reduce((sum, { aborted, DEADLINE_EXCEEDED }) => sum + aborted + DEADLINE_EXCEEDED, 0)
}
await until(() => ended() >= 10)
await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
console.log(JSON.stringify({ visited, ended: ended(), unhandled }))
process.exit()
