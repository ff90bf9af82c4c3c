/**
 * Every program in the documents is one that is compiled and run: it stands, letter by letter, in a
 * file of `examples/`, which `tsc` checks, and the files of `examples/snippets` are run here;
 * `examples/snippets/service` is a program, which `test/hono/shutdown/program.test.ts` runs.
 */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

import { describe, expect, it } from 'vitest'

import { blocksOf, type Document, documents, programs, regionsOf, root } from './markdown.ts'

const languages = new Set(['ts', 'typescript', 'tsx', 'js', 'javascript'])

/** The snippets of the document that no program has, by their places. */
function withoutProgram(document: Document, sources: readonly Document[]): string[] {
  const regions = new Set(sources.flatMap(regionsOf))
  return blocksOf(document)
    .filter(({ language, code }) => languages.has(language) && !regions.has(code))
    .map(({ line }) => `${document.path}:${line}`)
}

/**
 * Imports the program and calls its `main`, if it has not run by then. Its assertions are its own.
 *
 * The server of Node puts a Request and a Response of its own into the globals, which Bun's does not take,
 * and on Bun all test files share them.
 */
async function run(path: string): Promise<void> {
  const { Request, Response } = globalThis
  try {
    const program: object = await import(pathToFileURL(join(root, path)).href)
    if ('main' in program && typeof program.main === 'function') await program.main()
  } finally {
    Object.defineProperty(globalThis, 'Request', { value: Request })
    Object.defineProperty(globalThis, 'Response', { value: Response })
  }
}

describe('the snippets', () => {
  it('of every document stand in a file of examples/', () => {
    const sources = programs()
    expect(documents().flatMap((document) => withoutProgram(document, sources))).toEqual([])
  })

  const files = programs()
    .map(({ path }) => path)
    // Those in a folder are one program, which another test runs.
    .filter((path) => /^examples\/snippets\/[^/]+$/.test(path))

  it.each(files)('%s runs', async (path) => {
    await expect(run(path)).resolves.toBeUndefined()
  })
})

describe('the search for a snippet', () => {
  const source: Document = {
    path: 'examples/a.ts',
    text: [
      '// #region whole',
      "import { b } from 'b'",
      '',
      'export function main() {',
      '  // #region inner',
      '  if (b) {',
      '    b()',
      '  }',
      '  // #endregion',
      '}',
      '// #endregion',
      'main()',
    ].join('\n'),
  }

  const missing = (...lines: string[]): string[] =>
    withoutProgram({ path: 'x.md', text: lines.join('\n') }, [source])

  it('finds a region, also inside a list or another region', () => {
    const inner = ['```ts', 'if (b) {', '  b()', '}', '```']
    expect(missing('Text', ...inner)).toEqual([])
    expect(missing('- Text', '', ...inner.map((line) => `  ${line}`))).toEqual([])
    expect(
      missing(
        '~~~ts',
        "import { b } from 'b'",
        '',
        'export function main() {',
        '  if (b) {',
        '    b()',
        '  }',
        '}',
        '~~~',
      ),
    ).toEqual([])
  })

  it('finds a whole file', () => {
    const lines = source.text.split('\n').filter((line) => !line.includes('#'))
    expect(missing('````ts twoslash', ...lines, '````')).toEqual([])
  })

  it('names the line of a snippet that differs in one letter, and leaves other languages alone', () => {
    expect(missing('```sh', 'b', '```', '', '```ts', 'if (b) {', '  c()', '}', '```')).toEqual([
      'x.md:6',
    ])
  })

  it('takes no part of a region', () => {
    expect(missing('```js', '  b()', '```')).toEqual(['x.md:2'])
  })
})
