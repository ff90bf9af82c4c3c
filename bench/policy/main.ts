/**
 * When to start a batch: the engine's policies against bounds, in virtual time, and `'auto'` on the real clock. Ends
 * with 1 if a result in virtual time is worse than its goal, or than what is known where a goal is missed. `--write`
 * puts what it prints into `docs/policy.md`, with charts.
 *
 *     node bench/policy/main.ts --quick
 */
import { execFile, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'

import { goalsOf, type Measured } from './goals.ts'
import type { Comparison } from './open-loop.ts'
import type { Parts } from './part.ts'
import type { RealClockResult } from './real-clock.ts'
import { report } from './report.ts'

const options = process.argv.slice(2)

// All at once: what takes virtual time takes no longer beside others.
const [oneSlot, twoSlots, fourSlots, closed, overloads, neighbour] = await Promise.all([
  measure('oneSlot'),
  measure('twoSlots'),
  measure('fourSlots'),
  measure('closed'),
  measure('overloads'),
  measure('neighbour'),
])
const severalSlots = [...twoSlots, ...fourSlots]
const measured: Measured = { oneSlot, severalSlots, closed, overloads, neighbour }
const realClock = [process.execPath, 'bun'].flatMap(onRealClock)
const text = report(measured, realClock)
console.log(text)
if (options.includes('--write')) await write(text, oneSlot)
process.exitCode = goalsOf(measured).some(({ isWorse }) => isWorse) ? 1 : 0

/** In a process of its own, and without the leak detector. */
async function measure<Name extends keyof Parts>(part: Name): Promise<Parts[Name]> {
  const program = join(import.meta.dirname, 'part.ts')
  const { stdout } = await promisify(execFile)(process.execPath, [program, part, ...options], {
    env: { ...process.env, NODE_ENV: 'production' },
    maxBuffer: Infinity,
  })
  return JSON.parse(stdout) as Parts[Name]
}

/** In a process of its own, where nothing has moved the clock. */
function onRealClock(runtime: string): readonly RealClockResult[] {
  const program = join(import.meta.dirname, 'real-clock.ts')
  const { status, stdout, error } = spawnSync(runtime, [program, ...options], { encoding: 'utf8' })
  if (status !== 0) throw error ?? new Error(`The bench ended with ${status} on ${runtime}`)
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as RealClockResult)
}

async function write(tables: string, comparisons: readonly Comparison[]): Promise<void> {
  // A large library, which only these need.
  const { latencyChart } = await import('./chart.ts')
  const { timelineChart } = await import('./timeline.ts')
  const docs = resolve(import.meta.dirname, '../../docs')
  const day = new Date().toISOString().slice(0, 10)
  const document = [
    '# When to start a batch: policies against bounds',
    `Written by \`npx -y pnpm@12 bench:policy --write\` on ${day}.`,
    'A batch of n items takes S(n) = 5 + 0.2·n ms if not said otherwise, and has 32 items at most; the load is a share of what full batches can do. The real batcher runs in virtual time, so these numbers do not depend on the machine.',
    'The bound: for Poisson arrivals and one slot, the exact optimum of all policies that do not see the future (a semi-Markov decision process); for all others the best of 73 fixed rules “start with Q items, or after W ms”, chosen with hindsight on the same arrivals.',
    '![Mean latency over load, for each policy and kind of arrivals](policy.svg)',
    tables,
  ]
  writeFileSync(join(docs, 'policy.md'), `${document.join('\n\n')}\n`)
  writeFileSync(join(docs, 'policy.svg'), await latencyChart(comparisons))
  writeFileSync(join(docs, 'linger.svg'), await timelineChart())
}
