/**
 * The same service in Heddle: see service.py.
 *
 *     node service.ts PORT WORK MAX_BATCH_SIZE [MODEL]
 *
 * `/unbatched` does the work of one request at once, without a batcher.
 */
import { setTimeout as sleep } from 'node:timers/promises'

import { createBatcher } from '@heddle/core'
import { heddle } from '@heddle/hono'
import { serve } from '@hono/node-server'
import { Hono } from 'hono'

import { startModel } from './model.ts'
import { BATCH_MS } from './work.ts'

const [port, work, maxBatchSize, modelFile = ''] = process.argv.slice(2)

const predict = work === 'matmul' ? startModel(modelFile) : sleepFor
const predictions = createBatcher({
  name: 'predictions',
  maxBatchSize: Number(maxBatchSize),
  run: async (inputs: readonly number[]) => {
    const outputs = await predict(inputs)
    return outputs.map((output) => ({ output, size: inputs.length }))
  },
})

const app = new Hono()
  .use(heddle())
  .get('/health', (c) => c.text('ok'))
  .post('/predict', async (c) => c.json(await predictions.submit(await inputOf(c.req))))
  .post('/unbatched', async (c) => {
    const [output] = await predict([await inputOf(c.req)])
    return c.json({ output, size: 1 })
  })

serve({ fetch: app.fetch, hostname: '127.0.0.1', port: Number(port) })

async function inputOf(request: { json(): Promise<unknown> }): Promise<number> {
  const { input } = (await request.json()) as { readonly input: number }
  return input
}

async function sleepFor(inputs: readonly number[]): Promise<number[]> {
  await sleep(BATCH_MS)
  return inputs.map((input) => input * input)
}
