/**
 * When to start a batch: the engine's policies against bounds, in virtual time, and `'auto'` on the real clock. Ends
 * with 1 if a result in virtual time is worse than its goal, or than what is known where a goal is missed. `--write`
 * puts what it prints into `docs/policy.md`, with charts.
 *
 *     node bench/policy/main.ts --quick
 */
import { execFile } from 'node:child_process'
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
const realClock = [...(await onRealClock(process.execPath)), ...(await onRealClock('bun'))]
const text = report(measured, realClock)
console.log(text)
if (options.includes('--write')) await write(text, oneSlot)
process.exitCode = goalsOf(measured).some(({ isWorse }) => isWorse) ? 1 : 0

/** Without the leak detector. */
async function measure<Name extends keyof Parts>(part: Name): Promise<Parts[Name]> {
  const env = { ...process.env, NODE_ENV: 'production' }
  return JSON.parse(await outputOf(process.execPath, ['part.ts', part], env)) as Parts[Name]
}

/** Where nothing has moved the clock. */
async function onRealClock(runtime: string): Promise<readonly RealClockResult[]> {
  const output = await outputOf(runtime, ['real-clock.ts'], process.env)
  return output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as RealClockResult)
}

/** What a program of this folder prints, in a process of its own. */
async function outputOf(
  runtime: string,
  [program, ...args]: readonly [program: string, ...args: string[]],
  env: NodeJS.ProcessEnv,
): Promise<string> {
  const file = join(import.meta.dirname, program)
  const settings = { env, maxBuffer: Infinity }
  const { stdout } = await promisify(execFile)(runtime, [file, ...args, ...options], settings)
  return stdout
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
