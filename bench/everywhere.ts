/**
 * Runs a bench on each runtime that the packages are for, with the options that follow its name.
 * `--write` puts what it prints into `docs/<name>-speed.md`.
 *
 *     node bench/everywhere.ts context --quick
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

import { runtimes } from '../test/conformance/runtimes.ts'
import { writeDocument } from './document.ts'

const COLUMNS: ReadonlySet<string> = new Set(['Node 22', 'Node 24', 'Node 26', 'Bun'])

const [name = '', ...options] = process.argv.slice(2)
const program = join(import.meta.dirname, `${name}.ts`)
const tables = runtimes.filter(({ column }) => COLUMNS.has(column)).map(tableOf)
if (options.includes('--write')) writeDocument(name, tables)

function tableOf({ column, command: [file = '', ...args] }: (typeof runtimes)[number]): string {
  const { status, stdout, error } = spawnSync(file, [...args, program, ...options], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  if (status !== 0) throw error ?? new Error(`The bench ended with ${status} on ${column}`)
  console.log(stdout)
  return stdout.trim()
}
