/**
 * Run by unobserved.test.ts on the runtime under test: prints how the items of each case ended, and which
 * unhandled rejections that left.
 */
import { type BatcherError, instrument } from '@heddle/core'

import { type Cases, turns } from './cases.ts'
import { failures } from './failures.ts'
import { refusals } from './refusals.ts'
import { streams } from './streams.ts'

export interface Ends {
  readonly settled: readonly string[]
  readonly unhandled: readonly string[]
}

let unhandled: string[] = []
process.on('unhandledRejection', (reason) => {
  const { code, message } = reason as { readonly code?: unknown; readonly message: string }
  unhandled.push(typeof code === 'string' ? code : message)
})

let settled: string[] = []
instrument({
  onSettle({ error, kind }) {
    settled.push(kind === 'engine' ? (error as BatcherError).code : (kind ?? 'fulfilled'))
  },
})

async function endsOf(cases: Cases): Promise<Record<string, Ends>> {
  const found: Record<string, Ends> = {}
  for (const [name, run] of Object.entries(cases)) {
    await run()
    await turns()
    found[name] = { settled: [...new Set(settled)].toSorted(), unhandled }
    unhandled = []
    settled = []
  }
  return found
}

console.log(
  JSON.stringify({
    refusals: await endsOf(refusals),
    streams: await endsOf(streams),
    failures: await endsOf(failures),
  }),
)
process.exit()
