/**
 * The table of docs/runtimes.md is true on the runtime that runs this, and what a runtime breaks is
 * mended. The boundaries are observed in a process of their own: a test runner has listeners, workers
 * and contexts of its own.
 */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { beforeAll, describe, expect, it } from 'vitest'

import { documentPath, generatedPart, matrixOf, parseMatrix, renderMatrix } from './document.ts'
import { type Group, mendedRow, row } from './row.ts'
import { groups } from './rows.ts'
import { type Report, runtimes, thisRuntime } from './runtimes.ts'
import { faultsOf } from './verdict.ts'

const document = readFileSync(documentPath, 'utf8')
const committed = parseMatrix(document)
const { column } = thisRuntime()
const rows = groups.flatMap((group) => group.rows)

describe(`the boundaries on ${column}`, () => {
  let report: Report

  beforeAll(async () => {
    const program = join(import.meta.dirname, 'run.ts')
    const { stdout } = await promisify(execFile)(process.execPath, [program])
    report = JSON.parse(stdout) as Report
  })

  it('are those of a column of the table', () => {
    expect(report.column).toBe(column)
    expect([...committed.versions.keys()]).toContain(column)
  })

  it.each(rows.map(({ name }) => name))('%s', (name) => {
    const boundary = rows.find((each) => each.name === name)
    const cell = committed.cells.get(name)?.get(column)
    expect(boundary && faultsOf(boundary, report.results[name], cell)).toEqual([])
  })
})

describe('the table', () => {
  it('has every row, every runtime, and the text that the rows ask for', () => {
    expect([...committed.versions.keys()]).toEqual(runtimes.map((runtime) => runtime.column))
    expect([...committed.cells.keys()]).toEqual(rows.map(({ name }) => name))
    expect(renderMatrix(groups, committed)).toBe(generatedPart(document))
  })

  it('has each row once, and none whose name would break it', () => {
    expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length)
    expect(rows.filter(({ name }) => /\||\*\*|\n/.test(name))).toEqual([])
  })
})

describe('a fault', () => {
  const nothing = { name: 'none', gives: 'A', without: 0, by: 0 }
  const plain = row('plain', 'A or ∅', async () => 'A')
  const mended = mendedRow('mended', 'A', nothing, async () => 'A')

  it('is a cell that is no longer true, and a row that was not observed', () => {
    expect(faultsOf(plain, { plain: 'A' }, 'A')).toEqual([])
    expect(faultsOf(plain, { plain: 'A' }, '∅')).toEqual(['the table says ∅, but it is A'])
    expect(faultsOf(plain, { plain: 'A' }, undefined)).toHaveLength(1)
    expect(faultsOf(plain, undefined, 'A')).toEqual(['was not observed'])
  })

  it('is a callback that did not come, also where the table has it so', () => {
    expect(faultsOf(mended, { plain: 'hang', mended: 'A' }, 'hang')).toHaveLength(1)
    expect(faultsOf(mended, { plain: 'B', mended: 'hang' }, 'B')).toHaveLength(1)
  })

  it('is a broken contract without a wrapper, and a wrapper that does not mend', () => {
    expect(faultsOf(plain, { plain: 'B' }, 'B')).toHaveLength(1)
    expect(faultsOf(mended, { plain: 'B', mended: 'A' }, 'B')).toEqual([])
    expect(faultsOf(mended, { plain: 'B', mended: 'B' }, 'B')).toEqual(['none gives B, not A'])
    expect(faultsOf(mended, { plain: 'A', mended: 'B' }, 'A')).toEqual(['none gives B, not A'])
  })

  it('is none where the runtime has no such thing, a reason is given, or it is left to chance', () => {
    const unmended = row('unmended', 'A', async () => 'B', { unmended: 'It cannot be.' })
    const varying = mendedRow('varying', 'A', nothing, async () => 'A', { varies: 'By chance.' })
    expect(faultsOf(mended, { plain: 'n/a', mended: 'n/a' }, 'n/a')).toEqual([])
    expect(faultsOf(unmended, { plain: 'B' }, 'B')).toEqual([])
    expect(faultsOf(varying, { plain: 'B', mended: 'not called' }, 'varies')).toEqual([])
    expect(faultsOf(varying, { plain: 'B', mended: 'B' }, 'varies')).toHaveLength(1)
  })
})

describe('what is written', () => {
  const group: Group = {
    title: 'Some',
    rows: [
      row('`one`', 'A', async () => 'A', { issues: ['owner/name#1'], why: 'Because.' }),
      row('two', '∅', async () => 'A', { unmended: 'No.' }),
    ],
  }
  const results = { '`one`': { plain: 'A' }, two: { plain: 'A' } }
  const matrix = matrixOf([group], [{ column: 'Here', version: 'Here 1', results }])
  const part = renderMatrix([group], matrix)

  it('marks what is broken, counts it, and links the issues', () => {
    expect(part).toContain('| Here   | Here 1  | 1 of 2           |')
    expect(part).toContain('| ∅        | **A** |')
    expect(part).toContain('[name#1](https://github.com/owner/name/issues/1)')
    expect(part).toContain('- **`one`.** Because.')
  })

  it('is read again', () => {
    const text = `# Title\n\n<!-- conformance: begin (x) -->\n${part}<!-- conformance: end -->\n`
    expect(parseMatrix(text)).toEqual(matrix)
    expect(() => parseMatrix('# Title')).toThrow('markers')
  })
})
