import assert from 'node:assert/strict'

// #region core
import { createBatcher } from '@heddle/core'

const squares = createBatcher({
  name: 'squares',
  maxBatchSize: 32,
  run: async (numbers: readonly number[]) => numbers.map((n) => n * n),
})

const [four, nine] = await Promise.all([squares.submit(2), squares.submit(3)]) // one batch
// #endregion

assert.deepEqual([four, nine], [4, 9])
assert.equal(squares.stats().meanBatchSize, 2)
