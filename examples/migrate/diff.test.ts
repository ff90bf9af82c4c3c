import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { diffLines } from 'diff'
import { expect, it } from 'vitest'

const before = join(import.meta.dirname, 'before')
const after = join(import.meta.dirname, 'after')

it('is a diff of less than 30 lines, those that go and those that come counted', () => {
  const files = readdirSync(before)
  expect(readdirSync(after)).toEqual(files)
  const changed = files.flatMap((file) => {
    const texts = [before, after].map((folder) => readFileSync(join(folder, file), 'utf8'))
    return diffLines(texts[0] ?? '', texts[1] ?? '').filter(
      ({ added, removed }) => added || removed,
    )
  })
  const lines = changed.reduce((sum, { count }) => sum + count, 0)
  expect(lines).toBeLessThan(30)
  const document = readFileSync(join(import.meta.dirname, '../../docs/migrating.md'), 'utf8')
  expect(document).toContain(`[${lines} lines](../examples/migrate/diff.test.ts)`)
})
