import { resolve } from 'node:path'

import { type Group, meets, type Row } from './row.ts'
import type { Report } from './runtimes.ts'
import { parseTables, renderTable } from './table.ts'

/** What all runtimes have shown, as far as the table tells. */
export interface Matrix {
  /** By column, in the order of the columns. */
  readonly versions: ReadonlyMap<string, string>
  /** By the name of the row and the column. */
  readonly cells: ReadonlyMap<string, ReadonlyMap<string, string>>
}

export const documentPath: string = resolve(import.meta.dirname, '../../docs/runtimes.md')

const MARKERS = /(?<=<!-- conformance: begin .*-->\n)[\s\S]*(?=<!-- conformance: end -->)/

export function matrixOf(groups: readonly Group[], reports: readonly Report[]): Matrix {
  const cell = ({ name, notes }: Row, { results }: Report): string =>
    notes.varies ? 'varies' : (results[name]?.plain ?? 'not observed')
  const rows = groups.flatMap((group) => group.rows)
  return {
    versions: new Map(reports.map(({ column, version }) => [column, version])),
    cells: new Map(
      rows.map((row) => [
        row.name,
        new Map(reports.map((report) => [report.column, cell(row, report)])),
      ]),
    ),
  }
}

/** The matrix of a document that {@link renderMatrix} has written a part of. */
export function parseMatrix(document: string): Matrix {
  const [versions = [], ...tables] = parseTables(generatedPart(document))
  const columns = versions.map((row) => row.get('Column') ?? '')
  const cells = tables.flat().map((row) => {
    const values = columns.map((column) => [column, plain(row.get(column))] as const)
    return [row.get('Boundary') ?? '', new Map(values)] as const
  })
  return {
    versions: new Map(versions.map((row) => [row.get('Column') ?? '', row.get('Runtime') ?? ''])),
    cells: new Map(cells),
  }
}

export function renderMatrix(groups: readonly Group[], { versions, cells }: Matrix): string {
  const columns = [...versions.keys()]
  const parts = groups.map(({ title, rows }) => {
    const table = renderTable(
      ['Boundary', 'Contract', ...columns, 'With our wrapper', 'Issues'],
      rows.map((row) => [
        row.name,
        row.contract,
        ...columns.map((column) => renderCell(row, cells.get(row.name)?.get(column))),
        row.mended ? `${code(row.mended.with)}: ${row.mended.gives}` : '',
        (row.notes.issues ?? []).map(link).join(', '),
      ]),
    )
    const remarks = rows.flatMap(remarksOf)
    return [`### ${title}`, table, ...(remarks.length > 0 ? [remarks.join('\n')] : [])]
  })
  const all = groups.flatMap(({ rows }) => rows)
  const summary = renderTable(
    ['Column', 'Runtime', 'Contracts broken'],
    [...versions].map(([column, version]) => [
      column,
      version,
      `${all.filter((row) => isBroken(row, cells.get(row.name)?.get(column))).length} of ${all.length}`,
    ]),
  )
  return `\n${[summary, ...parts.flat()].join('\n\n')}\n\n`
}

/** @throws Error when the document has no markers */
export function generatedPart(document: string): string {
  const [part] = MARKERS.exec(document) ?? []
  if (part === undefined) throw new Error(`Expected the markers of the table in ${documentPath}`)
  return part
}

export function withGeneratedPart(document: string, part: string): string {
  generatedPart(document)
  return document.replace(MARKERS, () => part)
}

function renderCell(row: Row, value = ''): string {
  return isBroken(row, value) ? `**${value}**` : value
}

function isBroken({ contract, notes }: Row, value = ''): boolean {
  return notes.varies === undefined && !meets(contract, value)
}

function plain(cell = ''): string {
  return cell.replaceAll('**', '')
}

function remarksOf({ name, notes: { why, unmended, varies } }: Row): string[] {
  const remarks = [why, unmended, varies].filter((remark) => remark !== undefined)
  return remarks.length > 0 ? [`- **${name}.** ${remarks.join(' ')}`] : []
}

function code(names: string): string {
  return names
    .split(', ')
    .map((name) => `\`${name}\``)
    .join(', ')
}

/** GitHub leads from an issue to a pull request of the same number. */
function link(issue: string): string {
  const [repository = '', number = ''] = issue.split('#')
  return `[${repository.split('/')[1]}#${number}](https://github.com/${repository}/issues/${number})`
}
