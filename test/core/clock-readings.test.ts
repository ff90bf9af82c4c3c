/** When an item is said to have been submitted. */
import { setImmediate } from 'node:timers/promises'

import { clock } from '@heddle/context/engine'
import { createBatcher, type SubmitOptions } from '@heddle/core'
import { expect, it } from 'vitest'

interface Apart {
  /** ms between the submits of two items of one batch, as the batch sees it. */
  readonly apart: number
  /** At least so much, if each has a reading of its own. */
  readonly least: number
}

async function submits(
  between: () => Promise<void> | void,
  options?: SubmitOptions,
  timeout?: number,
): Promise<Apart> {
  let queued: readonly number[] = []
  const batcher = createBatcher({
    name: 'readings',
    // It starts when it is full.
    linger: 3_600_000,
    maxBatchSize: 2,
    ...(timeout === undefined ? {} : { timeout }),
    run(inputs: readonly number[], { items }) {
      queued = items.map(({ queuedFor }) => queuedFor)
      return inputs
    },
  })
  // Also what the first item would share, if readings were shared for ever.
  const before = clock.now()
  const first = batcher.submit(1, options)
  const after = performance.now()
  const waited = between()
  if (waited) await waited
  // Longer than the first submit has taken, so that the time of another reading is too early.
  const start = performance.now()
  while (performance.now() - start <= after - before);
  // A µs is lost where differences are rounded.
  const least = performance.now() - after - 0.001
  await Promise.all([first, batcher.submit(2, options)])
  return { apart: (queued[0] ?? 0) - (queued[1] ?? 0), least }
}

it('is one reading of the clock for items that are submitted together', async () => {
  const { apart } = await submits(() => {})
  expect(apart).toBe(0)
})

it('is another one when the event loop has gone on', async () => {
  const { apart, least } = await submits(() => setImmediate())
  expect(apart).toBeGreaterThan(least)
})

it('is exact where a timeout counts from it', async () => {
  const { apart, least } = await submits(() => {}, undefined, 3_600_000)
  expect(apart).toBeGreaterThan(least)
})

it('is exact where the caller is told of its timing', async () => {
  const { apart, least } = await submits(() => {}, { onTiming: () => {} })
  expect(apart).toBeGreaterThan(least)
})
