import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { constants } from 'node:os'
import { join, resolve } from 'node:path'

import { TEST_LIMIT } from '../../test/support/limit.ts'
import type { Runtime } from './arguments.ts'

const root = resolve(import.meta.dirname, '../..')
const modules = join(root, 'node_modules')

const runners: Readonly<Record<Runtime, readonly [string, ...string[]]>> = {
  node: [process.execPath, join(modules, 'vitest/vitest.mjs'), 'run'],
  bun: [join(modules, '.bin/bun'), 'test', `--timeout=${TEST_LIMIT}`],
}

/**
 * Runs the tests that the arguments name, by default all of them.
 *
 * @returns the exit code of the test runner; 128 and the number of the signal that ended it
 */
export async function runTests(runtime: Runtime, args: readonly string[]): Promise<number> {
  const [command, ...options] = runners[runtime]
  // Without a folder Bun takes what ends in `.test.ts` anywhere, as Vitest does without node_modules.
  const all = runtime === 'bun' && args.length === 0 ? ['./test', './examples', './scripts'] : args
  const child = spawn(command, [...options, ...all], { cwd: root, stdio: 'inherit' })
  // A Ctrl-C reaches the runner too; after it, this process goes on to stop the busy ones.
  const forward = (signal: NodeJS.Signals): void => void child.kill(signal)
  process.on('SIGINT', forward).on('SIGTERM', forward)
  try {
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
    return code ?? 128 + constants.signals[signal ?? 'SIGKILL']
  } finally {
    process.off('SIGINT', forward).off('SIGTERM', forward)
  }
}
