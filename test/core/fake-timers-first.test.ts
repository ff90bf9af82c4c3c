/** In a file of its own, since the packages are loaded while the functions of time are replaced. */
import { afterEach, expect, it, vi } from 'vitest'

afterEach(() => void vi.useRealTimers())

it('an app that is loaded under fake timers answers', async () => {
  vi.useFakeTimers()
  const { createBatcher } = await import('@heddle/core')
  const batcher = createBatcher<number, number>({ name: 'loaded-late', run: (ns) => ns })
  expect(await batcher.submit(1)).toBe(1)
  vi.useRealTimers()
  expect(await batcher.submit(2)).toBe(2)
  await batcher.close({ timeout: 1_000 })
})
