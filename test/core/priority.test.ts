import { createBatcher, type SubmitOptions } from '@heddle/core'
import { crank, virtualClock } from '@heddle/core/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { ended } from '../support/crank.ts'

let clock: ReturnType<typeof virtualClock>
beforeEach(() => {
  clock = virtualClock()
})
afterEach(() => clock[Symbol.dispose]())

/** A batcher of batches of one, whose only slot is taken until `inOrder` is called. */
async function busy(
  options: { readonly ageing?: number; readonly tenantBy?: (text: string) => string } = {},
) {
  const { run, calls } = crank<string>()
  const batcher = createBatcher({ name: 'ranked', run, maxBatchSize: 1, ...options })
  const answers = [batcher.submit('first')]
  await clock.settle()
  return {
    submit: (input: string, submitOptions?: SubmitOptions) =>
      void answers.push(batcher.submit(input, submitOptions)),
    /** What ran after the first, in its order. */
    async inOrder(): Promise<readonly string[]> {
      for (let n = 0; n < answers.length; n += 1) {
        calls[n]?.finish(calls[n]?.inputs ?? [])
        await clock.settle()
      }
      await Promise.all(answers)
      return calls.slice(1).flatMap(({ inputs }) => inputs)
    },
  }
}

describe('priorities', () => {
  it('put high before normal before low, and keep the order within a class', async () => {
    const { submit, inOrder } = await busy()
    submit('low 1', { priority: 'low' })
    submit('normal 1')
    submit('high 1', { priority: 'high' })
    submit('normal 2', { priority: 'normal' })
    submit('low 2', { priority: 'low' })
    submit('high 2', { priority: 'high' })
    expect(await inOrder()).toEqual(['high 1', 'high 2', 'normal 1', 'normal 2', 'low 1', 'low 2'])
  })

  it('let an item rise a class for each `ageing` that it has waited', async () => {
    const { submit, inOrder } = await busy({ ageing: 100 })
    submit('low', { priority: 'low' })
    await clock.advance(99)
    submit('normal, before the low one has risen')
    await clock.advance(2)
    submit('normal, after')
    submit('high, after', { priority: 'high' })
    await clock.advance(100)
    submit('high, much later', { priority: 'high' })
    expect(await inOrder()).toEqual([
      'high, after',
      'normal, before the low one has risen',
      'low',
      'normal, after',
      'high, much later',
    ])
  })

  it('are refused when they are none', async () => {
    const { run } = crank<string>()
    const batcher = createBatcher({ name: 'ranked', run })
    const priority = 'urgent' as never
    expect(await ended(batcher.submit('x', { priority }))).toBe('INVALID_OPTION')
  })
})

describe('tenants', () => {
  const tenantBy = (text: string): string => text[0] ?? ''

  it('take turns, however much one of them has waiting', async () => {
    const { submit, inOrder } = await busy({ tenantBy })
    for (let n = 0; n < 6; n += 1) submit(`a${n}`)
    submit('b0')
    submit('b1')
    submit('c0')
    expect(await inOrder()).toEqual(['a0', 'b0', 'c0', 'a1', 'b1', 'a2', 'a3', 'a4', 'a5'])
  })

  it('cannot get before others with a priority', async () => {
    const { submit, inOrder } = await busy({ tenantBy })
    submit('a0', { priority: 'high' })
    submit('a1', { priority: 'high' })
    submit('b0', { priority: 'low' })
    submit('b1', { priority: 'high' })
    expect(await inOrder()).toEqual(['a0', 'b1', 'a1', 'b0'])
  })

  it('share a batch in cost units', async () => {
    const { run, calls } = crank<string>()
    const batcher = createBatcher({
      name: 'costly',
      run,
      tenantBy,
      cost: (text) => text.length - 1,
      maxBatchCost: 8,
      maxQueueSize: 1_000,
    })
    const answers = [batcher.submit('x1')]
    await clock.settle()
    for (let n = 0; n < 4; n += 1) answers.push(batcher.submit('a1234'))
    for (let n = 0; n < 16; n += 1) answers.push(batcher.submit('b1'))
    calls[0]?.finish(['x1'])
    await clock.settle()
    // As much for each: one of cost 4, and four of cost 1.
    expect(calls[1]?.inputs).toEqual(['a1234', 'b1', 'b1', 'b1', 'b1'])
    for (let n = 1; calls[n]; n += 1) {
      calls[n]?.finish(calls[n]?.inputs ?? [])
      await clock.settle()
    }
    expect(calls.slice(2).map(({ inputs }) => inputs.length)).toEqual([5, 5, 5])
    await Promise.all(answers)
  })

  it('whose items cost nothing still take turns', async () => {
    const { run, calls } = crank<string>()
    const batcher = createBatcher({ name: 'free', run, tenantBy, cost: () => 0, maxBatchSize: 2 })
    const answers = ['x', 'a', 'a', 'a', 'b'].map((text) => batcher.submit(text))
    for (let n = 0; n < 3; n += 1) {
      await clock.settle()
      calls[n]?.finish(calls[n]?.inputs ?? [])
    }
    expect(calls.map(({ inputs }) => inputs)).toEqual([['x', 'a'], ['b', 'a'], ['a']])
    await Promise.all(answers)
  })

  it('leave room in the queue for others, as much as each has taken', async () => {
    const { run, calls } = crank<string>()
    const batcher = createBatcher({ name: 'shares', run, tenantBy, maxQueueSize: 12 })
    const ends = (tenant: string, count: number): Promise<unknown>[] =>
      Array.from({ length: count }, () => ended(batcher.submit(tenant)))
    const a = ends('a', 12)
    const b = ends('b', 12)
    const c = ends('c', 1)
    await clock.settle()
    calls[0]?.finish(calls[0].inputs)
    const admitted = async (all: readonly Promise<unknown>[]): Promise<number> =>
      (await Promise.all(all)).filter((end) => end !== 'QUEUE_FULL').length
    expect([await admitted(a), await admitted(b), await admitted(c)]).toEqual([6, 3, 1])
  })

  it('are not kept when nothing of theirs waits', async () => {
    const { run, calls } = crank<string>()
    const batcher = createBatcher({ name: 'gone', run, tenantBy, maxBatchSize: 1 })
    const controller = new AbortController()
    const first = batcher.submit('x')
    await clock.settle()
    const gone = ended(batcher.submit('a', { signal: controller.signal }))
    const stays = batcher.submit('b')
    controller.abort(new Error('left'))
    calls[0]?.finish(['x'])
    await clock.settle()
    calls[1]?.finish(['b'])
    expect(await Promise.all([first, gone, stays])).toEqual(['x', 'left', 'b'])
    expect(calls).toHaveLength(2)
  })
})

describe('partitions', () => {
  it('go by age, and the fuller one first as long as nobody waits `maxWait` longer for it', async () => {
    const { run, calls } = crank<string>()
    const batcher = createBatcher({
      name: 'partitions',
      run,
      partitionBy: (text) => text,
      maxBatchSize: 4,
      maxWait: 40,
    })
    const answers = [batcher.submit('x')]
    await clock.settle()
    answers.push(batcher.submit('old'))
    await clock.advance(25)
    for (let n = 0; n < 4; n += 1) answers.push(batcher.submit('full'))
    answers.push(batcher.submit('new'))
    await clock.advance(20)
    for (let n = 0; n < 4; n += 1) answers.push(batcher.submit('late'))
    for (let n = 0; n < 5; n += 1) {
      calls[n]?.finish(calls[n]?.inputs ?? [])
      await clock.settle()
    }
    await Promise.all(answers)
    expect(calls.map(({ inputs }) => inputs[0])).toEqual(['x', 'full', 'old', 'late', 'new'])
  })

  it('start at once when what lingered before them has left', async () => {
    const { run, calls } = crank<string>()
    const batcher = createBatcher({
      name: 'partitions',
      run,
      partitionBy: (text) => text,
      maxBatchSize: 4,
      linger: 10,
      maxWait: 40,
    })
    const controller = new AbortController()
    const { signal } = controller
    const stays = batcher.submit('old')
    await clock.advance(2)
    const leave = [1, 2, 3].map(() => ended(batcher.submit('fuller', { signal })))
    await clock.advance(9)
    expect(calls).toEqual([])
    controller.abort(new Error('left'))
    await clock.settle()
    expect(calls.map(({ inputs }) => inputs)).toEqual([['old']])
    calls[0]?.finish(['old'])
    expect(await Promise.all([stays, ...leave])).toEqual(['old', 'left', 'left', 'left'])
  })
})
