/**
 * What traces of batches show: beside the instrumentation of DataLoader on the same load, and with 10 % of
 * the requests sampled. Each request has a server span, and asks for one thing, in bursts of 32.
 *
 *     npx -y pnpm@12 bench:tracing           Node alone, since only there DataLoader can be instrumented
 *     npx -y pnpm@12 bench:tracing --write   puts the tables into docs/observability.md
 */
import { replaceBlock } from './document.ts'

process.env['NODE_ENV'] = 'production'
const { compare } = await import('./tracing/compare.ts')
const { sample } = await import('./tracing/sample.ts')
const { table } = await import('./markdown.ts')
const { runtime } = await import('./measure.ts')

const isQuick = process.argv.includes('--quick')

const tables = {
  'beside DataLoader': table(await compare(isQuick ? 640 : 6400, isQuick ? 3 : 15)),
  sampling: table(await sample(isQuick ? 640 : 32_000)),
}
for (const [name, text] of Object.entries(tables)) console.log(`${runtime}, ${name}\n\n${text}\n`)
if (process.argv.includes('--write')) {
  for (const [name, text] of Object.entries(tables)) {
    replaceBlock('observability.md', `tracing ${name}`, text)
  }
}
