import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { writeFindings } from './document.ts'
import { table } from './markdown.ts'

/** What a bench found, as numbers. */
export interface Table {
  readonly title: string
  /** What the numbers are. */
  readonly about: string
  readonly columns: readonly Column[]
  readonly rows: readonly (readonly Cell[])[]
}

/** Its numbers are written with so many digits after the point. */
export type Column = readonly [name: string, digits?: number]

/** `null` is an empty one, and what JSON makes of a number that is none. */
export type Cell = string | number | null | undefined

const RESULTS = join(import.meta.dirname, 'results')

export function markdownOf({ title, about, columns, rows }: Table): string {
  const cells = rows.map((row) => columns.map(([, digits = 0], n) => textOf(row[n], digits)))
  return `### ${title}\n\n${about}:\n\n${table([columns.map(([name]) => name), ...cells])}`
}

function textOf(cell: Cell, digits: number): string {
  if (typeof cell === 'number') return Number.isNaN(cell) ? '' : cell.toFixed(digits)
  return cell ?? ''
}

/** Prints tables as they are found: as Markdown, or for a program that reads them (`--json`) as lines of JSON. */
export function print(...tables: readonly Table[]): void {
  const isJson = process.argv.includes('--json')
  for (const each of tables) console.log(isJson ? JSON.stringify(each) : `${markdownOf(each)}\n`)
}

/**
 * Keeps what a bench found in `bench/results/<name>.json`, and with `--write` in its block of
 * docs/performance.md.
 */
export async function keep(name: string, tables: readonly Table[]): Promise<void> {
  mkdirSync(RESULTS, { recursive: true })
  writeFileSync(join(RESULTS, `${name}.json`), `${JSON.stringify(tables, undefined, 2)}\n`)
  if (!process.argv.includes('--write')) return
  // A large library, which only this needs.
  const { chartOf } = await import('./charts.ts')
  const content = tables.map(markdownOf).join('\n\n')
  writeFindings(name, content, await chartOf(name, tables))
}
