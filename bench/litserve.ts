/**
 * The same service in LitServe and in Heddle (on Node): CPU time of all their processes, requests per second,
 * latency, batches, memory. The services take turns at the load; those whose turn it is not stand still,
 * since LitServe takes CPU time when idle.
 *
 *     npx -y pnpm@12 bench:litserve           needs python3 and a Python package index, once
 *     npx -y pnpm@12 bench:litserve --quick   shows that it works
 *     npx -y pnpm@12 bench:litserve --write   puts the tables into docs/performance.md
 */
import { compare, type Durations, idle } from './litserve/compare.ts'
import { startAll, stopAll } from './litserve/subjects.ts'
import { goalTable, idleTable, loadTable } from './litserve/tables.ts'
import { makeVenv } from './litserve/venv.ts'
import type { Work } from './litserve/work.ts'
import { keep, print, type Table } from './report.ts'

const durations: Durations = process.argv.includes('--quick')
  ? { rounds: 1, load: 0.5, warmUp: 0.5, idle: 1 }
  : { rounds: 3, load: 2, warmUp: 2, idle: 10 }

const venv = makeVenv()
// The model is made by the virtual environment.
const works: readonly Work[] = venv ? ['sleep', 'matmul'] : ['sleep']
const tables: Table[] = []
for (const work of works) tables.push(...(await tablesOf(work)))
print(...tables)
await keep('litserve', tables)

async function tablesOf(work: Work): Promise<Table[]> {
  const subjects = await startAll(work, venv)
  try {
    const results = await compare(work, subjects, durations)
    const idles = await Promise.all(subjects.map((subject) => idle(subject, durations.idle)))
    const found = [loadTable(work, results), idleTable(work, idles)]
    return work === 'sleep' ? [...found, goalTable(results, idles)] : found
  } finally {
    await stopAll(subjects)
  }
}
