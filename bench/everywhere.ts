/**
 * Runs a bench on each runtime that the packages are for, with the options that follow its name.
 * `--write` puts what it prints into `docs/<name>-speed.md`.
 *
 *     node bench/everywhere.ts context --quick
 */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join, resolve } from 'node:path'

import { runtimes } from '../test/conformance/runtimes.ts'

const COLUMNS: ReadonlySet<string> = new Set(['Node 22', 'Node 24', 'Node 26', 'Bun'])

const [name = '', ...options] = process.argv.slice(2)
const program = join(import.meta.dirname, `${name}.ts`)
const tables = runtimes.filter(({ column }) => COLUMNS.has(column)).map(tableOf)
if (options.includes('--write')) write(tables)

function tableOf({ column, command: [file = '', ...args] }: (typeof runtimes)[number]): string {
  const { status, stdout, error } = spawnSync(file, [...args, program, ...options], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  if (status !== 0) throw error ?? new Error(`The bench ended with ${status} on ${column}`)
  console.log(stdout)
  return stdout.trim()
}

function write(texts: readonly string[]): void {
  const day = new Date().toISOString().slice(0, 10)
  const document = [
    `# The speed of \`@heddle/${name}\``,
    `Written by \`npx -y pnpm@12 bench:${name} --write\` on ${day}, on ${cpus().length} × ${cpus()[0]?.model ?? 'a CPU'}.`,
    ...texts.map((text) => text.replace(/^(.*); (.*)$/m, '## $1\n\n$2:')),
  ]
  writeFileSync(
    resolve(import.meta.dirname, `../docs/${name}-speed.md`),
    `${document.join('\n\n')}\n`,
  )
}
