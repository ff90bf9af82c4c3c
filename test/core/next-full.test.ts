import { createBatcher } from '@heddle/core'
import { crank, virtualClock } from '@heddle/core/testing'
import { describe, expect, it } from 'vitest'

import { workTime } from '../support/changed-clock.ts'

describe('a full batch that waits for a slot', () => {
  it('starts before the callers of the last one go on, whose handlers may take long', async () => {
    using clock = virtualClock()
    const { run, calls } = crank<number>()
    const order: string[] = []
    const batcher = createBatcher<number, number>({
      name: 'full',
      maxBatchSize: 2,
      run: (inputs, batch) => {
        order.push(`run ${inputs.join()}`)
        return run(inputs, batch)
      },
    })
    const answers = [1, 2, 3, 4, 5].map((n) =>
      batcher.submit(n).then((answer) => order.push(`answer ${answer}`)),
    )
    await clock.settle()
    await clock.advance(5)
    calls[0]?.finish([1, 2])
    await clock.settle()
    expect(order).toEqual(['run 1,2', 'run 3,4', 'answer 1', 'answer 2'])
    await clock.advance(5)
    calls[1]?.finish([3, 4])
    await clock.settle()
    // What is not full waits for who comes back.
    expect(order.slice(4)).toEqual(['answer 3', 'answer 4', 'run 5'])
    await clock.advance(5)
    calls[2]?.finish([5])
    await Promise.all(answers)
  })

  it('starts after them where batch functions work in the thread of the callers', async () => {
    using clock = virtualClock()
    using time = workTime()
    const order: string[] = []
    const batcher = createBatcher<number, number>({
      name: 'blocking',
      maxBatchSize: 2,
      run: (inputs) => {
        order.push(`run ${inputs.join()}`)
        time.work(3)
        return inputs
      },
    })
    const answers = [1, 2, 3, 4].map((n) =>
      batcher.submit(n).then((answer) => order.push(`answer ${answer}`)),
    )
    await clock.advance(5)
    await Promise.all(answers)
    expect(order).toEqual(['run 1,2', 'answer 1', 'answer 2', 'run 3,4', 'answer 3', 'answer 4'])
  })
})
