import { runRequest, type Scope } from '@heddle/context'
import { clock as time } from '@heddle/context/engine'
import { createBatcher } from '@heddle/core'
import { crank, virtualClock } from '@heddle/core/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { ended } from '../support/crank.ts'

let clock: ReturnType<typeof virtualClock>
beforeEach(() => {
  clock = virtualClock()
})
afterEach(() => clock[Symbol.dispose]())

/** A batcher that has seen four batches of `duration` ms each, of one item. */
async function experienced(duration: number) {
  const { run, calls } = crank<number>()
  const batcher = createBatcher({ name: 'experienced', run, maxBatchSize: 2 })
  for (let n = 0; n < 4; n += 1) {
    const answer = batcher.submit(n)
    await clock.settle()
    await clock.advance(duration)
    calls[n]?.finish([n])
    await answer
    await clock.settle()
  }
  calls.length = 0
  return { batcher, calls }
}

describe('an item that cannot make its deadline', () => {
  it('is rejected when its batch is formed, not run, and leaves its place to others', async () => {
    const { batcher, calls } = await experienced(10)
    const busy = batcher.submit(0)
    await clock.settle()
    const scopes: Scope[] = []
    const late = runRequest({}, (scope) => {
      scopes.push(scope)
      return ended(batcher.submit(1, { timeout: 15 }))
    })
    const others = [2, 3].map((n) => batcher.submit(n, { timeout: 100 }))
    await clock.advance(8)
    calls[0]?.finish([0])
    await clock.settle()
    // 7 ms are left to it, and a batch takes 10.
    expect(await late).toBe('DEADLINE_EXCEEDED')
    expect(scopes.map(({ state }) => state)).toEqual(['closed'])
    expect(calls[1]?.inputs).toEqual([2, 3])
    calls[1]?.finish([2, 3])
    expect(await Promise.all([busy, ...others])).toEqual([0, 2, 3])
  })

  it('is run all the same when nothing else would be: only a run can prove the estimate wrong', async () => {
    const { batcher, calls } = await experienced(50)
    const answers = [1, 2, 3].map((n) => ended(batcher.submit(n, { timeout: 20 })))
    await clock.settle()
    expect(calls.map(({ inputs }) => inputs)).toEqual([[2, 3]])
    await clock.advance(1)
    calls[0]?.finish([2, 3])
    expect(await Promise.all(answers)).toEqual(['DEADLINE_EXCEEDED', 2, 3])
  })

  it('is not guessed at before there is something to go by', async () => {
    const { run, calls } = crank<number>()
    const batcher = createBatcher({ name: 'new', run })
    const answers = [batcher.submit(1, { timeout: 1 }), batcher.submit(2)]
    await clock.settle()
    expect(calls[0]?.inputs).toEqual([1, 2])
    calls[0]?.finish([1, 2])
    expect(await Promise.all(answers)).toEqual([1, 2])
  })

  it('is not judged by batches that failed or were given up', async () => {
    const { run, calls } = crank<number>()
    const batcher = createBatcher({ name: 'unlucky', run })
    for (let n = 0; n < 6; n += 1) {
      const answer = ended(batcher.submit(n))
      await clock.settle()
      await clock.advance(1_000)
      calls[n]?.fail(new Error('down'))
      expect(await answer).toBe('BATCH_FAILED')
      await clock.settle()
    }
    const answers = [batcher.submit(6, { timeout: 20 }), batcher.submit(7)]
    await clock.settle()
    expect(calls[6]?.inputs).toEqual([6, 7])
    calls[6]?.finish([6, 7])
    expect(await Promise.all(answers)).toEqual([6, 7])
  })
})

describe('twice the load that can be served, with deadlines', () => {
  it('is served at nearly full capacity, and nobody is run who has left', async () => {
    const service = (size: number): number => 5 + 0.2 * size
    let executed = 0
    const batcher = createBatcher({
      name: 'overloaded',
      maxBatchSize: 32,
      timeout: 50,
      run: (inputs: readonly number[]) => {
        executed += inputs.length
        return new Promise<readonly number[]>((resolve) => {
          time.setTimeout(() => resolve(inputs), service(inputs.length))
        })
      },
    })
    const capacity = (2_000 / service(32)) * 32
    const count = Math.round(2 * capacity)
    const ends: Promise<unknown>[] = []
    for (let n = 0; n < count; n += 1) {
      ends.push(ended(batcher.submit(n)))
      await clock.advance(2_000 / count)
    }
    await clock.advance(100)
    const inTime = (await Promise.all(ends)).filter((end) => typeof end === 'number').length
    expect(inTime / capacity).toBeGreaterThan(0.95)
    expect(inTime / executed).toBeGreaterThan(0.95)
    expect(batcher.stats()).toMatchObject({ queued: 0, inFlight: 0, submitted: count })
    expect(clock.timers).toBe(0)
  })
})

describe('a neighbour with a hundred times the traffic', () => {
  it('delays a tenant by at most two batches', async () => {
    const batchTime = 10
    const batcher = createBatcher({
      name: 'neighbours',
      maxBatchSize: 16,
      maxQueueSize: 2_000,
      tenantBy: ({ tenant }: { readonly tenant: string }) => tenant,
      run: (inputs) =>
        new Promise<readonly unknown[]>((resolve) => {
          time.setTimeout(() => resolve(inputs), batchTime)
        }),
    })
    const waited: number[] = []
    const ends: Promise<unknown>[] = []
    // Nearly twice what can be served, all but a hundredth of it of one tenant.
    for (let n = 0; n < 3_000; n += 1) {
      const tenant = n % 101 === 0 ? 'light' : 'heavy'
      const onTiming = tenant === 'light' ? keep : undefined
      ends.push(ended(batcher.submit({ tenant }, onTiming ? { onTiming } : {})))
      await clock.advance(batchTime / 30)
    }
    await clock.advance(5_000)
    const heavyRefused = (await Promise.all(ends)).filter((end) => end === 'QUEUE_FULL').length
    expect(waited).toHaveLength(30)
    expect(Math.max(...waited)).toBeLessThanOrEqual(2 * batchTime)
    expect(heavyRefused).toBeGreaterThan(0)

    function keep({ queued, ran }: { readonly queued: number; readonly ran: number }): void {
      waited.push(queued + ran)
    }
  })
})
