import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { expect, it } from 'vitest'

const none = (count: number): string[] => Array.from({ length: count }, () => 'none')

it('a batch enters the `node:domain` of no member, nor do its errors', async () => {
  const program = join(import.meta.dirname, 'domains.ts')
  const { stdout } = await promisify(execFile)(process.execPath, [program])
  const { callers, neutral, thrown, snapshot, ...seen } = JSON.parse(stdout) as Record<
    string,
    unknown
  >
  expect(seen).toEqual({
    hook: 'none',
    batch: none(12),
    after: 'none',
    set: 'runs',
    errors: [
      ...Array.from({ length: 3 }, () => 'process: of an emitter'),
      ...['a', 'b', 'none'].map((name) => `process: of item.run of ${name}`),
      'process: of the batch function',
    ],
  })
  // A domain of Bun lasts as long as the function that it calls.
  if ('Bun' in globalThis) return
  expect({ callers, neutral, thrown, snapshot }).toEqual({
    callers: [
      ['a', 'a'],
      ['b', 'b'],
      ['none', 'none'],
    ],
    neutral: ['none', 'a'],
    thrown: 'a',
    snapshot: ['b', 'b'],
  })
})
