import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'

/** ms; a test that a mutant makes loop for ever is stopped after it. */
const PATIENCE = 300_000
/** ms; a test that a mutant makes wait for ever has failed after it. */
const TEST_LIMIT = 60_000

export interface TestRun {
  /** The files that had tests. */
  readonly files: readonly string[]
  readonly failures: readonly Failure[]
  /** What went wrong outside of tests. */
  readonly output: string
  readonly passed: boolean
}

export interface Failure {
  readonly test: string
  readonly message: string
}

interface Report {
  readonly success: boolean
  readonly testResults: readonly {
    readonly name: string
    /** Why the file did not load. */
    readonly message: string
    readonly assertionResults: readonly {
      readonly fullName: string
      readonly status: string
      readonly failureMessages: readonly string[] | null
    }[]
  }[]
}

/** Runs the tests of a copy, up to the first that fails. */
export function runTests(folder: string, tests: readonly string[]): TestRun {
  const report = join(folder, 'report.json')
  rmSync(report, { force: true })
  const { status, output } = run(folder, 'vitest/vitest.mjs', [
    'run',
    ...tests,
    '--bail=1',
    `--testTimeout=${TEST_LIMIT}`,
    `--hookTimeout=${TEST_LIMIT}`,
    '--reporter=json',
    `--outputFile=${report}`,
  ])
  if (!existsSync(report)) return { files: [], failures: [], output, passed: false }
  const { success, testResults } = JSON.parse(readFileSync(report, 'utf8')) as Report
  const results = testResults.filter(({ assertionResults }) => assertionResults.length > 0)
  return {
    files: results.map(({ name }) => name),
    failures: results
      .flatMap(({ assertionResults }) => assertionResults)
      .filter((result) => result.status === 'failed')
      .map((result) => ({
        test: result.fullName,
        message: result.failureMessages?.[0]?.split('\n')[0] ?? '',
      })),
    output: [output, ...testResults.map(({ message }) => message)].filter(Boolean).join('\n'),
    passed: status === 0 && success,
  }
}

/**
 * What the compiler has against a copy's project, `''` for nothing.
 *
 * @param build - also builds the projects that it refers to, which must be done once
 */
export function typeErrors(folder: string, project: string, build: boolean): string {
  const { status, output } = run(
    folder,
    'typescript/bin/tsc',
    build ? ['-b', project] : ['--noEmit', '-p', project],
  )
  return status === 0 ? '' : output
}

function run(
  folder: string,
  tool: string,
  options: readonly string[],
): { readonly status: number | null; readonly output: string } {
  const { status, stdout, stderr, error } = spawnSync(
    process.execPath,
    [join(folder, 'node_modules', tool), ...options],
    { cwd: folder, encoding: 'utf8', timeout: PATIENCE },
  )
  return { status, output: `${stdout}${stderr}${error?.message ?? ''}`.trim() }
}
