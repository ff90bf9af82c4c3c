import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { constants } from 'node:os'
import { join, resolve } from 'node:path'

import type { Runtime } from './arguments.ts'

const root = resolve(import.meta.dirname, '../..')
const modules = join(root, 'node_modules')
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

const runners: Readonly<Record<Runtime, readonly [command: string, ...options: string[]]>> = {
  node: [process.execPath, join(modules, 'vitest/vitest.mjs'), 'run'],
  bun: [join(modules, '.bin/bun'), 'test'],
}

/** Where Bun looks for tests, as in the script `test:bun`; Vitest needs no folders. */
const FOLDERS = ['./test', './examples']

/**
 * Runs the tests that the arguments name, by default all of them.
 *
 * @returns the exit code of the test runner; where a signal has ended it, 128 and the number of the signal
 */
export async function runTests(runtime: Runtime, args: readonly string[]): Promise<number> {
  const [command, ...options] = runners[runtime]
  const tests = runtime === 'bun' && args.length === 0 ? FOLDERS : args
  const runner = spawn(command, [...options, ...tests], { cwd: root, stdio: 'inherit' })
  // This process stays until the runner has ended: it has others to stop.
  let stoppedBy: NodeJS.Signals | undefined
  const stop = (signal: NodeJS.Signals): void => {
    stoppedBy = signal
    runner.kill(signal)
  }
  for (const signal of SIGNALS) process.on(signal, stop)
  try {
    const [code, signal] = (await once(runner, 'exit')) as [number | null, NodeJS.Signals | null]
    const by = signal ?? stoppedBy
    return by === undefined ? (code ?? 1) : 128 + constants.signals[by]
  } finally {
    for (const signal of SIGNALS) process.off(signal, stop)
  }
}
