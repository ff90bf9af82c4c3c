import { createContinuousBatcher } from '@heddle/core'
import { virtualClock } from '@heddle/core/testing'
import { describe, expect, it } from 'vitest'

import { workTime } from '../../support/changed-clock.ts'
import { loom } from './loom.ts'
import { drained } from './tap.ts'

describe('a continuous batcher whose `start` works in the thread of its callers', () => {
  it('gives the place of who is done to who waits, for the very next step', async () => {
    using clock = virtualClock()
    using time = workTime()
    const work = loom<string, number>()
    const { start } = work.functions
    const batcher = createContinuousBatcher({
      name: 'blocking',
      ...work.functions,
      maxActive: 2,
      start: (input, item) => {
        time.work(3)
        return start(input, item)
      },
    })
    const streams = ['a', 'b', 'c'].map((input) => drained(batcher.stream(input)))
    await clock.settle()
    expect(work.steps).toHaveLength(1)
    work.now.finish({ done: true }, { chunk: 1 })
    await clock.settle()
    expect(work.steps.map(({ inputs }) => inputs)).toEqual([
      ['a', 'b'],
      ['b', 'c'],
    ])
    work.now.finish({ done: true }, { done: true })
    await clock.settle()
    expect(await Promise.all(streams)).toEqual([[], [1], []])
  })
})
