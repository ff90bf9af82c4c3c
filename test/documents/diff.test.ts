/** The README shows how little an app changes; this holds it against the two apps. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, it } from 'vitest'

import { root } from './markdown.ts'

function linesOf(path: string): string[] {
  return readFileSync(join(root, path), 'utf8').split('\n')
}

/** What one app has and the other has not, imports, comments and blank lines apart. */
function onlyIn(lines: readonly string[], others: readonly string[]): string[] {
  return lines.filter(
    (line) => line !== '' && !others.includes(line) && !/^(?:import |\/\*\*)/.test(line),
  )
}

describe('the diff in the README', () => {
  const before = linesOf('examples/cities/before.ts')
  const after = linesOf('examples/cities/after.ts')
  const [, shown = ''] = /```diff\n(.*?)```/s.exec(linesOf('README.md').join('\n')) ?? []
  const lines = shown.split('\n').filter((line) => line !== '')

  it('has every line that changes', () => {
    const marked = (mark: string): string[] =>
      lines.filter((line) => line.startsWith(mark)).map((line) => line.slice(1))
    expect(marked('-')).toEqual(onlyIn(before, after))
    // Lines such as `})` stand in both apps, so they are no difference by themselves.
    expect(marked('+').filter((line) => !before.includes(line))).toEqual(onlyIn(after, before))
  })

  it('has no line around them that is not in both', () => {
    for (const line of lines.filter((one) => one.startsWith(' '))) {
      expect([before.includes(line.slice(1)), after.includes(line.slice(1))]).toEqual([true, true])
    }
  })
})
