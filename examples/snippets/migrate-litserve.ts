import assert from 'node:assert/strict'

/** Stands for a model that takes a whole batch: one sum for each input. */
const model = {
  predict: async (inputs: readonly (readonly number[])[]) =>
    inputs.map((input) => input.reduce((sum, n) => sum + n, 0)),
}

// #region litserve
import { createBatcher } from '@heddle/core'
import { heddle, scopeOf } from '@heddle/hono'
import { sValidator } from '@hono/standard-validator'
import { Hono } from 'hono'
import { HTTPException } from 'hono/http-exception'
import * as z from 'zod'

const predictions = createBatcher({
  name: 'predictions',
  maxBatchSize: 16,
  timeout: 30_000,
  // batch, predict and unbatch: one result per input, in their order
  run: async (inputs: readonly (readonly number[])[]) => {
    const outputs = await model.predict(inputs)
    return outputs.map((output) =>
      Number.isFinite(output) ? output : new HTTPException(422, { message: 'too large' }),
    )
  },
})

const app = new Hono()
app.use(heddle())
app.post('/predict', sValidator('json', z.object({ input: z.array(z.number()) })), async (c) => {
  const { input } = c.req.valid('json') // decode_request
  const output = await predictions.submit(input)
  return c.json({ output, elapsed: scopeOf(c).elapsed() }) // encode_response
})
// #endregion

export async function main(): Promise<void> {
  const inputs = [[1, 2], [3], [Number.MAX_VALUE, Number.MAX_VALUE]]
  const answers = await Promise.all(
    inputs.map(async (input) =>
      app.request('/predict', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ input }),
      }),
    ),
  )
  // One that fails fails alone.
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200, 422],
  )
  const [first] = await Promise.all(answers.slice(0, 1).map(async (answer) => answer.json()))
  assert.deepEqual(Object.keys(first), ['output', 'elapsed'])
  assert.equal(first.output, 3)
  assert.equal(predictions.stats().meanBatchSize, 3)
}
