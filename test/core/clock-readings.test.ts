/** When an item is said to have been submitted. */
import { setImmediate } from 'node:timers/promises'

import { createBatcher, type SubmitOptions } from '@heddle/core'
import { expect, it } from 'vitest'

/** ms, more than a turn of the event loop takes. */
const APART = 25

/** Lets ms pass while nothing else runs. */
function spend(duration: number): void {
  const end = performance.now() + duration
  let now = performance.now()
  while (now < end) now = performance.now()
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
    linger: 100,
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
  expect(await apart(() => spend(APART))).toBe(0)
})

it('is another one when the event loop has gone on', async () => {
  const later = async (): Promise<void> => {
    await setImmediate()
    spend(APART)
  }
  expect(await apart(later)).toBeGreaterThanOrEqual(APART)
})

it('is exact where a timeout counts from it', async () => {
  expect(await apart(() => spend(APART), undefined, 60_000)).toBeGreaterThanOrEqual(APART)
})

it('is exact where the caller is told of its timing', async () => {
  const options: SubmitOptions = { onTiming: () => {} }
  expect(await apart(() => spend(APART), options)).toBeGreaterThanOrEqual(APART)
})
