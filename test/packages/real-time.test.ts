/**
 * The tests hold on a machine that is slow or busy: they measure no time, wait for no fixed time, and have one
 * time limit. What a product says of durations is not found here; `virtualClock` makes it exact.
 */
import { globSync, readFileSync } from 'node:fs'
import { join, resolve, sep } from 'node:path'

import { describe, expect, it } from 'vitest'

import { withoutComments } from './source.ts'

const root = resolve(import.meta.dirname, '../..')

/** These are commands of their own, which are run by hand or in CI, and not the tests. */
const COMMANDS = /^test\/(?:soak|conformance|e2e\/(?:browser|jaeger))\//

const patterns = {
  'the clock of the process': [/\b(?:performance|Date)\s*\.\s*now\b/g, /\bhrtime\b/g],
  'a limit of its own': [
    // Behind the function of `it` or a hook, and before it. A timer's delay of that length would be a wait.
    /^\s*\},\s*\d[\d_]{3,},?\s*\)/gm,
    /^\s*\},\s*\{ timeout: [\d_]+ \},?\s*\)$/gm,
    /\b(?:it|test|describe)\b[^\n]*, \{ timeout: [\d_]+ \},/g,
    /\b(?:testTimeout|hookTimeout|setDefaultTimeout|jest\.setTimeout)\b/g,
    /\b(?:vi\.(?:setConfig|waitFor|waitUntil)|expect\.poll)\b/g,
  ],
  'a wait of a fixed time': [
    /\b(?:sleep|wait|delay)\(\d[\d_]+\)/g,
    /\bsetTimeout\(\w+, \d[\d_]+\)/g,
  ],
} satisfies Readonly<Record<string, readonly RegExp[]>>

type Kind = keyof typeof patterns

/** Where it must be, and why. */
const ALLOWED: readonly (readonly [kind: Kind, path: string, reason: string])[] = [
  ['the clock of the process', 'core/clock-readings.test.ts', 'compares its own readings'],
  ['the clock of the process', 'core/virtual-clock.test.ts', 'waits until it has moved'],
  ['the clock of the process', 'context/worker-thread.ts', 'what is left to a deadline: at most'],
  ['the clock of the process', 'hono/isolation.test.ts', 'a value that each request has'],
  [
    'the clock of the process',
    'otel/spans.test.ts',
    'spans lie between two readings, and follow it',
  ],
  ['a limit of its own', 'support/bun-limit.ts', 'gives all files the one limit'],
  [
    'a wait of a fixed time',
    'core/cancellation.test.ts',
    'behind a timer of 1 ms, if there is one',
  ],
  ['a wait of a fixed time', 'core/domains.ts', 'behind timers of 1 ms'],
  ['a wait of a fixed time', 'core/fake-timers.test.ts', 'longer than a time-out that was lost'],
  ['a wait of a fixed time', 'hono/bun-server.test.ts', 'in which nobody may be asked'],
  ['a wait of a fixed time', 'hono/shutdown/connections.test.ts', 'clients are slow, or silent'],
  ['a wait of a fixed time', 'hono/shutdown/http2.test.ts', 'clients are silent'],
  [
    'a wait of a fixed time',
    'hono/shutdown/order.test.ts',
    'behind a timer of 1 ms, if there is one',
  ],
]

/** What the code has of this. */
function findingsIn(code: string, kind: Kind): string[] {
  const plain = withoutComments(code)
  return patterns[kind].flatMap((pattern) => plain.match(pattern) ?? [])
}

function testFiles(): string[] {
  return globSync(['test/**/*.ts', 'examples/**/*.test.ts'], {
    cwd: root,
    exclude: (path) => path.endsWith('node_modules'),
  })
    .map((path) => path.replaceAll(sep, '/'))
    .filter((path) => !COMMANDS.test(path) && !path.endsWith('packages/real-time.test.ts'))
}

describe.each(Object.keys(patterns) as Kind[])('%s', (kind) => {
  it('is in no test but where it must be', () => {
    const found = testFiles().filter(
      (path) => findingsIn(readFileSync(join(root, path), 'utf8'), kind).length > 0,
    )
    const allowed = ALLOWED.filter(([of]) => of === kind).map(([, path]) => `test/${path}`)
    expect(found.toSorted()).toEqual(allowed.toSorted())
  })
})

describe('the scanner', () => {
  it.each<[Kind, string]>([
    ['the clock of the process', 'const start = performance.now()'],
    ['the clock of the process', 'process.hrtime.bigint()'],
    ['a limit of its own', "it('x', async () => {\n  await y\n}, 60_000)"],
    ['a limit of its own', "it(\n  'x',\n  async () => {\n  },\n  { timeout: 60_000 },\n)"],
    ['a limit of its own', "it('x', { timeout: 60_000 }, async () => {})"],
    ['a limit of its own', 'await vi.waitFor(() => seen)'],
    ['a wait of a fixed time', 'await sleep(20)'],
    ['a wait of a fixed time', 'new Promise((resolve) => setTimeout(resolve, 1_000))'],
  ])('finds %s in %s', (kind, code) => {
    expect(findingsIn(code, kind)).toHaveLength(1)
  })

  it('leaves the options of batchers and requests alone', () => {
    const code =
      'batcher.submit(1, { timeout: 60_000 })\nrun({ a: 1 }, (scope) => {\n}, {})\nsleep(1)'
    for (const kind of Object.keys(patterns) as Kind[]) expect(findingsIn(code, kind)).toEqual([])
  })
})
