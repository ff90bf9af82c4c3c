/** In a file of its own, since the packages are loaded while the functions of time are replaced. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

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

// In a process of its own: what loads the files of tests needs these functions itself.
it('an app that is loaded while `nextTick` and `queueMicrotask` never call, as Jest fakes them, answers', async () => {
  const program = join(import.meta.dirname, 'fake-jobs-first.ts')
  const { stdout } = await promisify(execFile)(process.execPath, [program])
  expect(JSON.parse(stdout)).toEqual([
    [1, 1, 1],
    [2, 2, 2],
  ])
})
