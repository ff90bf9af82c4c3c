/**
 * Shows that the tests of the rules notice when a rule is broken: breaks each in a copy of the
 * repository and expects its test to fail.
 *
 *     node scripts/mutants.ts                                 all of them
 *     node scripts/mutants.ts early-binding neutral-ground    these
 *     node scripts/mutants.ts --part                          an eighth, another one at each commit
 */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

import { RepositoryCopy } from './mutants/copy.ts'
import { type Mutant, mutants } from './mutants/table.ts'
import { runTests, type TestRun, typeErrors } from './mutants/tools.ts'

/** All of them take longer than the rest of CI, and few commits let one survive. */
const PARTS = 8

// Ctrl-C ends the test run that is going on; after it this removes the copy.
process.once('SIGINT', () => process.exit(130))

const selection = chosen(process.argv.slice(2))
const copy = new RepositoryCopy()
assertSound([...new Set(selection.map(({ test }) => test))])

const width = Math.max(...selection.map(({ name }) => name.length))
let killed = 0
for (const mutant of selection) {
  const { outcome, why } = verdictOn(mutant)
  if (outcome === 'killed') killed += 1
  console.log(`${outcome.padEnd(8)}  ${mutant.name.padEnd(width)}  ${mutant.rule}`)
  console.log(`${' '.repeat(width + 12)}${mutant.test}: ${why}`)
}
console.log(`${killed} of ${selection.length} mutants were killed`)
process.exitCode = killed === selection.length ? 0 : 1

function chosen(names: readonly string[]): readonly Mutant[] {
  if (names.includes('--part')) {
    const commits = Number(
      execFileSync('git', ['rev-list', '--count', 'HEAD'], { encoding: 'utf8' }),
    )
    return mutants.filter((_, index) => index % PARTS === commits % PARTS)
  }
  const unknown = names.find((name) => !mutants.some((mutant) => mutant.name === name))
  if (unknown !== undefined) {
    const known = mutants.map(({ name }) => name).join(', ')
    throw new Error(`Expected the names of mutants, got ${unknown}; there are ${known}`)
  }
  return names.length === 0 ? mutants : mutants.filter(({ name }) => names.includes(name))
}

/** Without it, a test that fails for another reason would pass for one that notices. */
function assertSound(tests: readonly string[]): void {
  const errors = typeErrors(copy.folder, 'packages/hono', true)
  if (errors !== '') throw new Error(`The packages do not compile:\n${errors}`)
  const { passed, files, failures, output } = runTests(copy.folder, tests)
  const missing = tests.filter((test) => !files.includes(join(copy.folder, test)))
  if (passed && missing.length === 0) return
  const problems =
    failures.length > 0
      ? failures.map(({ test, message }) => `${test}: ${message}`)
      : [...missing.map((test) => `${test} has no tests`), output]
  throw new Error(`The tests do not pass before a rule is broken:\n${problems.join('\n')}`)
}

interface Verdict {
  readonly outcome: 'killed' | 'SURVIVED' | 'INVALID'
  readonly why: string
}

function verdictOn({ file, replace, test }: Mutant): Verdict {
  const count = copy.countOf(file, replace[0])
  if (count !== 1) return { outcome: 'INVALID', why: `its text stands in ${file} ${count} times` }
  return copy.whileReplaced(file, ...replace, () => {
    // What breaks the rule must be a sound program in every other way.
    const [project = file] = file.split('/src/')
    const errors = typeErrors(copy.folder, project, false)
    return errors === ''
      ? verdictOf(runTests(copy.folder, [test]))
      : { outcome: 'INVALID', why: errors }
  })
}

function verdictOf({ failures, passed, output }: TestRun): Verdict {
  const [failure] = failures
  if (failure) return { outcome: 'killed', why: `${failure.test} (${shortened(failure.message)})` }
  if (passed) return { outcome: 'SURVIVED', why: 'all its tests pass' }
  // Nothing has noticed when no test has failed: the file did not load, or did not end.
  return { outcome: 'INVALID', why: `no test has failed, but the run did: ${output.slice(-200)}` }
}

function shortened(message: string): string {
  return message.length > 80 ? `${message.slice(0, 79)}…` : message
}
