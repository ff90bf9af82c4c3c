/**
 * Observes every boundary on the runtime that runs this, and prints what it saw as JSON:
 *
 *     node test/conformance/run.ts
 *     node test/conformance/run.ts 'AbortSignal'    only the rows with this in their names
 */
import { groups } from './rows.ts'
import { type Observed, type Report, thisRuntime } from './runtimes.ts'

/** ms; a boundary that takes longer has lost its callback. */
const PATIENCE = 60_000

const wanted = process.argv[2] ?? ''
const results: Record<string, Observed> = {}
for (const { rows } of groups) {
  for (const { name, observe, mended } of rows) {
    if (!name.includes(wanted)) continue
    results[name] = {
      plain: await within(observe),
      mended: mended && (await within(mended.observe)),
    }
  }
}
const report: Report = { ...thisRuntime(), results }
// What a boundary has left open must not keep the process.
process.stdout.write(`${JSON.stringify(report)}\n`, () => process.exit(0))

async function within(observe: () => Promise<string>): Promise<string> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const patience = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve('hang'), PATIENCE)
  })
  try {
    return await Promise.race([observe(), patience])
  } catch (error) {
    return `error: ${error instanceof Error ? error.message : String(error)}`
  } finally {
    clearTimeout(timer)
  }
}
