/**
 * `pnpm test:busy`: runs the tests on Node and on Bun beside processes that keep every core busy, as on a
 * machine that is slow or shared.
 *
 *     node scripts/busy.ts                                     all tests
 *     node scripts/busy.ts --busy=4 --runtime=bun ./test/core  some, on Bun, beside 4 processes
 *
 * Everything but `--busy` (8) and `--runtime` (both) is passed on to the test runners. The exit code is
 * that of the first run that failed, or 0.
 */
import { readArguments } from './busy/arguments.ts'
import { BusyProcesses } from './busy/processes.ts'
import { runTests } from './busy/run-tests.ts'

const { count, runtimes, rest } = readArguments(process.argv.slice(2))

await using busy = new BusyProcesses(count)
console.log(`${count} busy processes: ${busy.ids.join(' ')}`)
for (const runtime of runtimes) {
  console.log(`The tests on ${runtime}`)
  const code = await runTests(runtime, rest)
  process.exitCode ||= code
  // Who presses Ctrl-C wants the next run no more.
  if (code > 128) break
}
