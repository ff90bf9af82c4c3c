/** What the documents point at is there, and nothing that is published points into somebody's machine. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

import { describe, expect, it } from 'vitest'

import { type Document, documents, linksOf, root } from './markdown.ts'

/** The links of the document into the repository that lead nowhere. */
function deadLinks(document: Document): string[] {
  return linksOf(document).filter((link) => {
    if (/^(?:[a-z][\w+.-]*:|\/\/|#)/i.test(link)) return false
    const path = decodeURI(link.replace(/[?#].*$/, ''))
    // GitHub takes a leading slash for the root of the repository.
    const target = path.startsWith('/') ? path : join(dirname(document.path), path)
    return !existsSync(join(root, target))
  })
}

describe('relative links', () => {
  it('lead to files that exist', () => {
    const dead = documents().flatMap((document) =>
      deadLinks(document).map((link) => `${link} in ${document.path}`),
    )
    expect(dead).toEqual([])
  })

  it('are found in whichever form', () => {
    const text = [
      '[file](gone/a.md) and [section](gone/b.md#top), [![badge](gone/c.svg)](gone/d.md "Title")',
      '<img src="gone/e.png"> [reference][r]',
      '[r]: gone/f.md',
      '[root](/gone/g.md) [up](../gone/h.md)',
    ].join('\n')
    const dead = deadLinks({ path: 'docs/x.md', text })
    const names = dead.map((link) => /gone\/(\w)/.exec(link)?.[1])
    expect(names).toHaveLength(8)
    expect(new Set(names)).toEqual(new Set('abcdefgh'))
  })

  it('are left alone outside the repository, in code, and where the file is there', () => {
    const text = [
      '[web](https://example.com/x) [mail](mailto:a@example.com) [here](#section)',
      '`array[0](gone)` and ``a ` [b](gone)``',
      '```ts',
      'links[0](gone)',
      '```',
      '[manifest](../package.json#L3) [root](/package.json)',
    ].join('\n')
    expect(deadLinks({ path: 'docs/x.md', text })).toEqual([])
  })
})

describe('the files of the repository', () => {
  const machinePath = /(?<![\w.~-])\/(?:work|home|root|Users)\/[\w.-]/
  const registry =
    /registry\.npmjs\.org|registry\.yarnpkg\.com|npm\.pkg\.github\.com|https?:\/\/[^\s/'"]*(?:registry|mirror|artifactory|verdaccio|nexus)/i

  const isPrivate = (text: string): boolean => machinePath.test(text) || registry.test(text)

  // A copy without its history cannot tell what belongs to the repository.
  it.skipIf(!existsSync(join(root, '.git')))('name no path and no registry of a machine', () => {
    const tracked = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' })
    const files = tracked.split('\0').filter((path) => path !== '' && existsSync(join(root, path)))
    expect(files).toContain('package.json')
    expect(files.filter((path) => isPrivate(readFileSync(join(root, path), 'utf8')))).toEqual([])
  })

  it('may name what only looks like one', () => {
    const parts = [
      ['', 'home', 'ada', 'x'],
      ['file:', '', '', 'root', 'x'],
      ['cd ', 'work', 'x'],
      ['https:', '', ['registry', 'npmjs', 'org'].join('.'), 'x'],
      ['http:', '', 'registry.local:4873', 'x'],
    ].map((each) => each.join('/'))
    expect(parts.map(isPrivate)).toEqual(parts.map(() => true))
    const harmless = [
      'https://example.com/home/x',
      './work/x',
      '~/home/x',
      'registry.storage.run()',
    ]
    expect(harmless.map(isPrivate)).toEqual(harmless.map(() => false))
  })
})
