import { createContinuousBatcher, createStreamBatcher, END } from '@heddle/core'
import { describe, expect, it } from 'vitest'

import { turn } from '../../support/crank.ts'
import { reachable } from '../../support/gc.ts'
import { markersOf, REQUESTS, SLACK } from '../../support/markers.ts'
import { drained } from './tap.ts'

/** How a request may have done with its stream. */
const endings = [
  ['ended', (stream: AsyncIterableIterator<number>) => drained(stream)],
  ['left', async (stream: AsyncIterableIterator<number>) => (await turn(), stream.return?.())],
  ['not read', () => turn()],
] as const

describe('nothing of a request is held by streams that the app keeps (R9)', () => {
  it.each(endings)('of a stream batcher, when they have %s', async (_how, end) => {
    const batcher = createStreamBatcher<number, number>({
      name: 'kept',
      maxBatchSize: 8,
      maxStall: 0,
      async *run(inputs) {
        for (const index of inputs.keys()) yield [index, index]
        for (const index of inputs.keys()) yield [index, END]
      },
    })
    const kept: unknown[] = []
    const markers = await markersOf((n) => {
      const stream = batcher.stream(n)
      kept.push(stream)
      return end(stream)
    })
    await batcher.drain()
    expect(await reachable(markers)).toBeLessThanOrEqual(SLACK)
    expect(kept).toHaveLength(REQUESTS)
  })

  it.each(endings)('of a continuous batcher that goes on, when they have %s', async (_how, end) => {
    const kept: unknown[] = []
    let isOpen = true
    const batcher = createContinuousBatcher<number, { steps: number }, number>({
      name: 'kept',
      maxActive: 8,
      maxBuffered: 1,
      maxStall: 0,
      start: (_input, item) => {
        kept.push(item, item.signal)
        return { steps: 0 }
      },
      step: (active, step) => {
        kept.push(active, step, step.signal)
        return active.map(({ state, item }) => {
          state.steps += 1
          return item.input < 0 ? { done: !isOpen } : { chunk: 1, done: state.steps === 3 }
        })
      },
    })
    const endless = drained(batcher.stream(-1))
    const markers = await markersOf((n) => {
      const stream = batcher.stream(n)
      kept.push(stream)
      return end(stream)
    })
    while (batcher.stats().inFlight > 1) await turn()
    expect(await reachable(markers)).toBeLessThanOrEqual(SLACK)
    expect(kept.length).toBeGreaterThan(REQUESTS)
    isOpen = false
    expect(await endless).toEqual([])
    await batcher.close()
  })
})
