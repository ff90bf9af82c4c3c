/**
 * Runs every bench, one after the other.
 *
 *     npx -y pnpm@12 bench           all tables
 *     npx -y pnpm@12 bench --quick   shows that they work; their ratios are rough
 *     npx -y pnpm@12 bench --write   puts the tables and charts into docs/performance.md
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const BENCHES: readonly (readonly [program: string, ...args: string[]])[] = [
  ['everywhere.ts', 'items'],
  ['everywhere.ts', 'context'],
  ['http.ts'],
  ['litserve.ts'],
  ['everywhere.ts', 'database'],
  ['everywhere.ts', 'scale'],
  ['policy/main.ts'],
  ['everywhere.ts', 'otel'],
  ['tracing.ts'],
]
const options = process.argv.slice(2)
const begin = performance.now()
for (const [program, ...args] of BENCHES) {
  const start = performance.now()
  console.log(`## ${args[0] ?? program}\n`)
  const file = join(import.meta.dirname, program)
  const { status } = spawnSync(process.execPath, [file, ...args, ...options], { stdio: 'inherit' })
  if (status !== 0) throw new Error(`${[program, ...args].join(' ')} ended with ${status}`)
  console.error(`took ${secondsSince(start)} s\n`)
}
console.error(`All benches took ${secondsSince(begin)} s`)

function secondsSince(time: number): string {
  return ((performance.now() - time) / 1e3).toFixed(0)
}
