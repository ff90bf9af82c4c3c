import { createContinuousBatcher } from '@heddle/core'
import { describe, expect, it } from 'vitest'

import { until } from '../../support/crank.ts'
import { loom } from './loom.ts'
import { drained } from './tap.ts'

/** ms of work in this thread. */
const WORK = 3

describe('a continuous batcher whose `start` works in the thread of its callers', () => {
  it('gives the place of who is done to who waits, for the very next step', async () => {
    const work = loom<string, number>()
    const { start } = work.functions
    const batcher = createContinuousBatcher({
      name: 'blocking',
      ...work.functions,
      maxActive: 2,
      start: (input, item) => {
        const end = performance.now() + WORK
        while (performance.now() < end);
        return start(input, item)
      },
    })
    const streams = ['a', 'b', 'c'].map((input) => drained(batcher.stream(input)))
    await until(() => work.steps.length === 1)
    work.now.finish({ done: true }, { chunk: 1 })
    await until(() => work.steps.length === 2)
    expect(work.steps.map(({ inputs }) => inputs)).toEqual([
      ['a', 'b'],
      ['b', 'c'],
    ])
    work.now.finish({ done: true }, { done: true })
    expect(await Promise.all(streams)).toEqual([[], [1], []])
  })
})
