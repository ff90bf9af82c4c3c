/**
 * Runs the conformance suite on every runtime and writes the table of docs/runtimes.md:
 *
 *     node test/conformance/matrix.ts            writes it
 *     node test/conformance/matrix.ts --check    only compares, and names the rows that differ
 */
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import {
  documentPath,
  generatedPart,
  matrixOf,
  parseMatrix,
  renderMatrix,
  withGeneratedPart,
} from './document.ts'
import { groups } from './rows.ts'
import { type Report, type Runtime, runtimes } from './runtimes.ts'
import { faultsOf } from './verdict.ts'

/** ms; the first time, a runtime is downloaded. */
const PATIENCE = 300_000

const isCheck = process.argv.includes('--check')
const document = readFileSync(documentPath, 'utf8')
const reports = runtimes.map(reportOf)
const matrix = matrixOf(groups, reports)
const part = renderMatrix(groups, matrix)
const committed = isCheck ? parseMatrix(document) : matrix

const rows = groups.flatMap((group) => group.rows)
const faults = reports.flatMap(({ column, results }) =>
  rows.flatMap((row) =>
    faultsOf(row, results[row.name], committed.cells.get(row.name)?.get(column)).map(
      (fault) => `${column}: ${row.name}: ${fault}`,
    ),
  ),
)
if (isCheck && faults.length === 0 && part !== generatedPart(document)) {
  faults.push('the text around the table is not what the rows say')
}
if (!isCheck) writeFileSync(documentPath, withGeneratedPart(document, part))
for (const fault of faults) console.error(fault)
console.log(`${rows.length} boundaries on ${reports.length} runtimes, ${faults.length} faults`)
if (isCheck && faults.length > 0) console.log('`pnpm conformance` writes the table anew')
process.exitCode = faults.length === 0 ? 0 : 1

function reportOf({ column, command: [command = '', ...options] }: Runtime): Report {
  const start = performance.now()
  const { status, stdout, stderr, error } = spawnSync(
    command,
    [...options, join(import.meta.dirname, 'run.ts')],
    { encoding: 'utf8', timeout: PATIENCE, shell: process.platform === 'win32' },
  )
  if (status !== 0) {
    throw new Error(`The suite did not end well on ${column}:\n${stderr}${error?.message ?? ''}`)
  }
  const report = JSON.parse(stdout) as Report
  if (report.column !== column) {
    throw new Error(
      `Expected \`${command} ${options.join(' ')}\` to start ${column}, got ${report.version}`,
    )
  }
  console.log(`${report.version} (${((performance.now() - start) / 1e3).toFixed(1)} s)`)
  return report
}
