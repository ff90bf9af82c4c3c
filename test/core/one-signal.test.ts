import { runRequest } from '@heddle/context'
import { createBatcher } from '@heddle/core'
import { describe, expect, it } from 'vitest'

import { crank, ended, turn } from '../support/crank.ts'

/** A signal that counts its listeners. */
function counted(): { controller: AbortController; listeners: () => number } {
  const controller = new AbortController()
  const { signal } = controller
  let count = 0
  const { addEventListener, removeEventListener } = signal
  signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
    count += 1
    addEventListener.apply(signal, args)
  }
  signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
    count -= 1
    removeEventListener.apply(signal, args)
  }
  return { controller, listeners: () => count }
}

describe('many items with one signal', () => {
  it('are one listener of it, and none when they have settled', async () => {
    const { run, calls } = crank<number>()
    const batcher = createBatcher({ name: 'one', run })
    const { controller, listeners } = counted()
    const options = { signal: controller.signal }
    const answers = [1, 2, 3].map((n) => batcher.submit(n, options))
    expect(listeners()).toBe(1)
    await turn()
    calls[0]?.finish([1, 2, 3])
    expect(await Promise.all(answers)).toEqual([1, 2, 3])
    expect(listeners()).toBe(0)
    // Whoever comes later is heard, too.
    const late = batcher.submit(4, options)
    expect(listeners()).toBe(1)
    controller.abort(new Error('left'))
    expect(await ended(late)).toBe('left')
    expect(listeners()).toBe(0)
  })

  it('are all told, those of requests included', async () => {
    const { run } = crank<number>()
    const batcher = createBatcher({ name: 'one', run })
    const { controller, listeners } = counted()
    const { signal } = controller
    const answers = [
      ended(batcher.submit(1, { signal })),
      ended(batcher.submit(2, { signal })),
      ended(runRequest({ signal }, () => batcher.submit(3))),
      ended(runRequest({ signal }, () => batcher.submit(4))),
    ]
    expect(listeners()).toBe(1)
    controller.abort(new Error('shutdown'))
    expect(await Promise.all(answers)).toEqual(Array.from({ length: 4 }, () => 'shutdown'))
    expect(listeners()).toBe(0)
    expect(batcher.stats()).toMatchObject({ queued: 0, rejected: { aborted: 4 } })
  })

  it('leave the others listening when one of them is done', async () => {
    const { run, calls } = crank<number>()
    const batcher = createBatcher({ name: 'one', run, maxBatchSize: 1, maxConcurrency: 1 })
    const { controller, listeners } = counted()
    const { signal } = controller
    const first = batcher.submit(1, { signal })
    const second = batcher.submit(2, { signal })
    await turn()
    calls[0]?.finish([1])
    expect(await first).toBe(1)
    expect(listeners()).toBe(1)
    controller.abort(new Error('left'))
    expect(await ended(second)).toBe('left')
  })
})
