import assert from 'node:assert/strict'

import { createBatcher } from '@heddle/core'

const embed = (texts: readonly string[]): number[][] => texts.map((text) => [text.length])
const tokens = (text: string): number => text.split(' ').length
interface Row {
  readonly tenant: string
  readonly table: string
}

// #region batching-cost
const embeddings = createBatcher({
  name: 'embeddings',
  run: async (texts: readonly string[]) => embed(texts),
  maxBatchSize: 64,
  cost: (text) => tokens(text),
  maxBatchCost: 8_192, // what the model takes in one call
})
// #endregion

// #region batching-deadlines
const answers = createBatcher({
  name: 'answers',
  run: async (texts: readonly string[]) => embed(texts),
  timeout: 250, // ms from submit to answer
  maxQueueSize: 500,
})
// #endregion

// #region batching-tenants
const inserts = createBatcher({
  name: 'inserts',
  run: async (rows: readonly Row[]) => rows.map(() => 'stored'),
  partitionBy: (row) => row.table, // one statement has one table
  tenantBy: (row) => row.tenant, // tenants take turns
})
// #endregion

// #region batching-equal
const quotes = createBatcher({
  name: 'quotes',
  run: async (symbols: readonly string[]) => symbols.map((symbol) => `${symbol} 42`),
  dedupeBy: (symbol) => symbol, // equal text: one execution for all who wait
})
// #endregion

assert.deepEqual(await Promise.all(['A', 'A'].map((symbol) => quotes.submit(symbol))), [
  'A 42',
  'A 42',
])
assert.deepEqual(quotes.stats().batches.idle, 1)
assert.deepEqual(await embeddings.submit('one two'), [7])
assert.deepEqual(await answers.submit('three'), [5])
assert.equal(await inserts.submit({ tenant: 'a', table: 'rows' }), 'stored')

// #region batching-stats
const { meanBatchSize, batches, wait, run } = embeddings.stats()
console.log({ meanBatchSize, batches, wait: wait.p99, run: run.p50 })
// #endregion
