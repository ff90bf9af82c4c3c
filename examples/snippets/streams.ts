import assert from 'node:assert/strict'

const shown: string[] = []
const show = (word: string): void => void shown.push(word)

/** A model that thinks of a word for each prompt in turn. */
async function* generate(prompts: readonly string[]): AsyncGenerator<[number, string | undefined]> {
  for (const word of ['there', 'was', undefined]) {
    for (const index of prompts.keys()) yield [index, word]
  }
}

// #region streams
import { createStreamBatcher, END } from '@heddle/core'

const words = createStreamBatcher({
  name: 'words',
  async *run(prompts: readonly string[]) {
    for await (const [index, word] of generate(prompts)) yield [index, word ?? END] as const
  },
})

for await (const word of words.stream('Once upon a time')) show(word)
// #endregion

assert.deepEqual(shown, ['there', 'was'])
