/** Errors of the app's own functions: who does not look at them has unhandled rejections. */
import { createKey, runRequest } from '@heddle/context'
import { createBatcher, createContinuousBatcher, createStreamBatcher, END } from '@heddle/core'

import { type Cases, until } from './cases.ts'

const broken = createKey<string>('test.unobserved.broken', {
  batch: (values) => {
    if (values.includes('broken')) throw new Error('merge')
    return undefined
  },
})

const fail = (): never => {
  throw new Error('thrown')
}

export const failures: Cases = {
  async 'the batch function throws'() {
    const batcher = createBatcher<string, string>({ name: 'throws', run: fail })
    void batcher.submit('x')
    void batcher.submit('y')
  },
  async 'an item has an error of its own'() {
    const run = (): Error[] => [new Error('own'), new Error('other')]
    const batcher = createBatcher<string, string>({ name: 'errors', run })
    void batcher.submit('x')
    void batcher.submit('y').then(() => {})
  },
  async 'the batch function returns too little'() {
    const batcher = createBatcher<string, string>({ name: 'short', run: () => [] })
    void batcher.submit('x')
  },
  async 'the merge function of a key throws'() {
    const batcher = createBatcher<string, string>({ name: 'merged', run: (inputs) => inputs })
    runRequest({ entries: [broken.of('broken')] }, () => void batcher.submit('x'))
  },
  async 'a generator throws'() {
    const words = createStreamBatcher<string, string>({ name: 'words', run: fail })
    void words.stream('x').next()
    // Nobody asks this one for a chunk, so nothing is promised.
    words.stream('y')
  },
  async 'a stream has an error of its own'() {
    const words = createStreamBatcher<string, string>({
      name: 'words',
      async *run() {
        yield [0, new Error('own')]
        yield [1, END]
      },
    })
    void words.stream('x').next()
  },
  async '`start` or `step` throws'() {
    const started = createContinuousBatcher<string, string, string>({
      name: 'started',
      start: fail,
      step: async () => [],
    })
    void started.stream('x').next()
    const stepped = createContinuousBatcher<string, string, string>({
      name: 'stepped',
      start: (input) => input,
      step: fail,
    })
    void stepped.stream('x').next()
    await until(() => stepped.stats().rejected.BATCH_FAILED === 1)
  },
}
