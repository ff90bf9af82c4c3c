import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

import type * as Evaluated from '../fixtures/evaluated.ts'
import { neutral } from '../mends.ts'
import { inA, resolvedByB, seen, sleep } from '../probe.ts'
import { type Group, mendedRow, row } from '../row.ts'
import { NOT_CALLED } from '../verdict.ts'

let imports = 0

/** Evaluated anew at each call. */
function evaluate(): Promise<typeof Evaluated> {
  imports += 1
  return import(`../fixtures/evaluated.ts?${imports}`) as Promise<typeof Evaluated>
}

const MODULE =
  'TC39 evaluates modules in the root context, and so must a module be that is first imported inside a request: what it makes lasts.'
const issues = ['tc39/proposal-async-context#98', 'oven-sh/bun#32693']

export const modules: Group = {
  title: 'Modules, realms and the collector',
  rows: [
    mendedRow(
      'module that A is the first to import: top level',
      '∅',
      neutral,
      (ground) => inA(async () => (await ground(evaluate)).atTop),
      { issues, why: MODULE },
    ),
    mendedRow(
      'module that A is the first to import: after a top-level `await`',
      '∅',
      neutral,
      (ground) => inA(async () => (await ground(evaluate)).afterAwait),
      { issues },
    ),
    row('after the `await` of an `import()`', 'A', () =>
      inA(async () => {
        await evaluate()
        return seen()
      }),
    ),
    row('`vm`: async function of another realm, after its `await`', 'A', () => {
      const source = '(async (promise, seen) => { await promise; return seen() })'
      const run = runInNewContext(source) as (
        promise: Promise<void>,
        read: () => string,
      ) => Promise<string>
      return inA(() => run(resolvedByB(), seen))
    }),
    mendedRow(
      '`FinalizationRegistry` of A',
      '∅',
      neutral,
      async (ground) => {
        const { promise, resolve } = Promise.withResolvers<string>()
        const token = {}
        const registry = inA(() => {
          const made = new FinalizationRegistry(() => ground(() => resolve(seen())))
          made.register({}, 'garbage', token)
          return made
        })
        const saw = await Promise.race([promise, collected()])
        // Used to the end: a registry that is collected itself calls nobody back.
        registry.unregister(token)
        return saw
      },
      {
        varies:
          'The collector calls when it likes, or never, and on Deno in the context of whatever ran last.',
      },
    ),
  ],
}

/** Has the collector run until the race is over, or 50 ms have passed. */
async function collected(): Promise<string> {
  const collect = collector()
  for (let round = 0; round < 10; round += 1) {
    await sleep(5)
    collect()
  }
  return NOT_CALLED
}

function collector(): () => void {
  const { Bun: bun } = globalThis as { Bun?: { gc(synchronous: boolean): void } }
  if (bun) return () => bun.gc(true)
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as () => void
}
