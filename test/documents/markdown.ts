import { globSync, readFileSync } from 'node:fs'
import { join, resolve, sep } from 'node:path'

export const root: string = resolve(import.meta.dirname, '../..')

export interface Document {
  /** From the root of the repository, with `/` on every platform. */
  readonly path: string
  readonly text: string
}

/** What users and contributors read, as far as it is there. */
export function documents(): Document[] {
  const patterns = ['*.md', 'docs/**/*.md', 'packages/*/README.md', 'examples/*/README.md']
  return filesOf(patterns)
}

/** The programs that the snippets of the documents are taken from. */
export function programs(): Document[] {
  return filesOf(['examples/**/*.ts'])
}

function filesOf(patterns: readonly string[]): Document[] {
  return patterns
    .flatMap((pattern) =>
      globSync(pattern, { cwd: root, exclude: (path) => /(?:^|[/\\])node_modules$/.test(path) }),
    )
    .map((path) => ({
      path: path.replaceAll(sep, '/'),
      text: readFileSync(join(root, path), 'utf8'),
    }))
}

interface Block {
  readonly language: string
  readonly code: string
  /** Of its first line of code, from 1. */
  readonly line: number
}

/** The fenced code blocks, without the indentation that they have in a list. */
export function blocksOf({ text }: Document): Block[] {
  const blocks: Block[] = []
  let open: { fence: string; language: string; line: number; lines: string[] } | undefined
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const [, fence, info = ''] = /^\s*(`{3,}|~{3,})\s*(.*)$/.exec(line) ?? []
    if (open && fence?.startsWith(open.fence) && info === '') {
      blocks.push({ language: open.language, code: dedent(open.lines), line: open.line })
      open = undefined
    } else if (open) {
      open.lines.push(line)
    } else if (fence !== undefined) {
      open = { fence, language: info.split(/[\s{]/)[0] ?? '', line: index + 2, lines: [] }
    }
  }
  return blocks
}

/** The parts between `// #region` and `// #endregion`, regions inside regions included, and the whole. */
export function regionsOf({ text }: Document): string[] {
  const lines = text.split(/\r?\n/)
  const open: string[][] = []
  const whole: string[] = []
  const regions: string[] = []
  for (const line of lines) {
    if (/^\s*\/\/ #region\b/.test(line)) open.push([])
    else if (/^\s*\/\/ #endregion\b/.test(line)) regions.push(dedent(open.pop() ?? []))
    else for (const each of [whole, ...open]) each.push(line)
  }
  return [...regions, dedent(whole)]
}

/** Where the document's links lead, as they are written; none from inside code. */
export function linksOf({ text }: Document): string[] {
  const prose = text
    .replaceAll(/^\s*(`{3,}|~{3,})[\s\S]*?^\s*\1/gm, '')
    .replaceAll(/(`+)[\s\S]*?[^`]\1(?!`)/g, '')
  const links =
    /\]\(\s*<?(?<inline>[^)\s>]+)|^\s*\[[^\]]+\]:\s*<?(?<reference>[^\s>]+)|\b(?:href|src)="(?<html>[^"]+)"/gm
  return [...prose.matchAll(links)].map(
    ({ groups }) => groups?.inline ?? groups?.reference ?? groups?.html ?? '',
  )
}

function dedent(lines: readonly string[]): string {
  const written = lines.filter((line) => line.trim() !== '')
  const indents = written.map((line) => /^\s*/.exec(line)?.[0].length ?? 0)
  const indent = Math.min(...indents)
  return lines
    .map((line) => line.slice(indent).trimEnd())
    .join('\n')
    .replaceAll(/^\n+|\n+$/g, '')
}
