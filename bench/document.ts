import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join, resolve } from 'node:path'

const docs = resolve(import.meta.dirname, '../docs')

/**
 * Puts what a bench found into its block of docs/performance.md.
 *
 * @param content - Markdown
 * @param chart - an SVG
 */
export function writeFindings(name: string, content: string, chart: string | undefined): void {
  const day = new Date().toISOString().slice(0, 10)
  const command = `npx -y pnpm@12 bench:${name} --write`
  const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'a CPU'}`
  const parts = [`Written by \`${command}\` on ${day}, on ${machine}.`, content]
  if (chart !== undefined) {
    mkdirSync(join(docs, 'performance'), { recursive: true })
    writeFileSync(join(docs, 'performance', `${name}.svg`), chart)
    parts.splice(1, 0, `![A chart of the tables below](performance/${name}.svg)`)
  }
  replaceBlock('performance.md', name, parts.join('\n\n'))
}

/** Puts text between `<!-- bench:<name> -->` and the next `<!-- end -->` of a document. */
export function replaceBlock(document: string, name: string, content: string): void {
  const path = join(docs, document)
  const text = readFileSync(path, 'utf8')
  const start = `<!-- bench:${name} -->`
  const [before, after] = text.split(start)
  const end = after?.indexOf('<!-- end -->') ?? -1
  if (before === undefined || after === undefined || end < 0) {
    throw new Error(`Expected \`${start}\` and an end after it in docs/${document}`)
  }
  writeFileSync(path, `${before}${start}\n\n${content}\n\n${after.slice(end)}`)
}
