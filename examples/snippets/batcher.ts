import assert from 'node:assert/strict'

// #region batcher
import { createKey, runRequest, tryCurrent } from '@heddle/context'
import { createBatcher } from '@heddle/core'

const requestName = createKey<string>('app.request_name')

const lengths = createBatcher({
  name: 'lengths',
  run: async (words: readonly string[]) => words.map((word) => word.length),
})

async function handle(word: string): Promise<string> {
  const length = await lengths.submit(word)
  return `${requestName.getOrThrow()}: ${length}`
}
// #endregion

/** Two requests at a time share a batch, and each finds its own name after it. */
export async function main(): Promise<void> {
  const answers = await Promise.all(
    ['one', 'three'].map((word) =>
      runRequest({ entries: [requestName.of(`request ${word}`)] }, () => handle(word)),
    ),
  )
  assert.deepEqual(answers, ['request one: 3', 'request three: 5'])
  assert.equal(lengths.stats().meanBatchSize, 2)
  assert.equal(tryCurrent(), undefined)
}
