/** When an item is said to have been submitted. */
import { setImmediate } from 'node:timers/promises'

import { createBatcher, type SubmitOptions } from '@heddle/core'
import { expect, it } from 'vitest'

/** Nothing else runs until the clock has moved. */
function letTheClockMove(): void {
  const before = performance.now()
  while (performance.now() === before);
}

/** ms between the submits of two items of one batch, as the batch sees it. */
async function apart(
  between: () => Promise<void> | void,
  options?: SubmitOptions,
  timeout?: number,
): Promise<number> {
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
  const first = batcher.submit(1, options)
  const waited = between()
  if (waited) await waited
  await Promise.all([first, batcher.submit(2, options)])
  return (queued[0] ?? 0) - (queued[1] ?? 0)
}

it('is one reading of the clock for items that are submitted together', async () => {
  expect(await apart(letTheClockMove)).toBe(0)
})

it('is another one when the event loop has gone on', async () => {
  const later = async (): Promise<void> => {
    await setImmediate()
    letTheClockMove()
  }
  expect(await apart(later)).toBeGreaterThan(0)
})

it('is exact where a timeout counts from it', async () => {
  expect(await apart(letTheClockMove, undefined, 60_000)).toBeGreaterThan(0)
})

it('is exact where the caller is told of its timing', async () => {
  const options: SubmitOptions = { onTiming: () => {} }
  expect(await apart(letTheClockMove, options)).toBeGreaterThan(0)
})
