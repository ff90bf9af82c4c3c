/**
 * Runs a bench on each runtime that the packages are for, with the options that follow its name.
 *
 *     node bench/everywhere.ts context --quick
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

import { runtimes } from '../test/conformance/runtimes.ts'
import { keep, markdownOf, type Table } from './report.ts'

const ALL = ['Node 22', 'Node 24', 'Node 26', 'Bun']
/** Where the question is not which runtime it is, two will do. */
const COLUMNS: Readonly<Record<string, readonly string[]>> = {
  database: ['Node 26', 'Bun'],
  scale: ['Node 26', 'Bun'],
}

const [name = '', ...options] = process.argv.slice(2)
const program = join(import.meta.dirname, `${name}.ts`)
const columns = COLUMNS[name] ?? ALL
const tables = runtimes.filter(({ column }) => columns.includes(column)).flatMap(tablesOn)
await keep(name, tables)

function tablesOn({ column, command: [file = '', ...args] }: (typeof runtimes)[number]): Table[] {
  const { status, stdout, error } = spawnSync(file, [...args, program, ...options, '--json'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  if (status !== 0) throw error ?? new Error(`The bench ended with ${status} on ${column}`)
  const found = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Table)
  for (const each of found) console.log(`${markdownOf(each)}\n`)
  return found
}
