/**
 * What the context costs beside the platform's own parts that do the same. In production mode: in
 * development the leak detector counts snapshots and notes where scopes were opened.
 *
 *     npx -y pnpm@12 bench:context            Node 22, 24, 26 and Bun
 *     npx -y pnpm@12 bench:context --quick    shows that it works; its ratios are rough
 *     npx -y pnpm@12 bench:context --write    puts the tables into docs/performance.md
 *
 * The floor of a request is what a scope cannot do without: one reading of the clock, to know when it
 * began, and one `then`, to be told of its end. On Node 22 each promise costs more, and on Bun the bare
 * `run` costs so little, that this floor alone is above the goal of 1.5 there.
 */
import assert from 'node:assert/strict'
import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks'

process.env['NODE_ENV'] = 'production'
const { createKey, run, runRequest, Snapshot } = await import('@heddle/context')
const { measure, median, ratios, runtime, spread } = await import('./measure.ts')
const { print } = await import('./report.ts')
type Cell = import('./report.ts').Cell

const key = createKey<number>('bench.key')
const storage = new AsyncLocalStorage<{ readonly value: number }>()
let sink = 0
const touch = (): void => void (sink += 1)

/** Inside `depth` scopes, each with a value of its own for another key. */
const others = Array.from({ length: 8 }, (_, n) => createKey<number>(`bench.other${n}`))
function nested(depth: number, fn: () => void): void {
  const other = others[depth - 1]
  if (other === undefined) fn()
  else run([other.of(depth)], () => nested(depth - 1, fn))
}

function repeat(count: number, operation: () => void): void {
  for (let n = 0; n < count; n += 1) operation()
}

const rows: Cell[][] = []

function note<Name extends string>(
  what: string,
  times: Record<Name, readonly number[]>,
  ours: Name,
  theirs: Name,
  goal: string,
): void {
  const own = ratios(times[ours], times[theirs])
  rows.push([what, median(times[ours]), median(times[theirs]), median(own), spread(own), goal])
}

const snapshots = await measure(
  {
    ours: (count) =>
      repeat(count, () => {
        const snapshot = Snapshot.capture()
        snapshot.run(touch)
        snapshot.release()
      }),
    resource: (count) =>
      repeat(count, () => {
        const resource = new AsyncResource('Bench', { requireManualDestroy: true })
        resource.runInAsyncScope(touch)
        resource.emitDestroy()
      }),
    platform: (count) =>
      repeat(count, () => {
        // What others do, and what R2 forbids.
        // oxlint-disable-next-line no-restricted-properties
        AsyncLocalStorage.snapshot()(touch)
      }),
  },
  50_000,
)
note(
  'snapshot: capture, run, release / bare AsyncResource',
  snapshots,
  'ours',
  'resource',
  'at most 2',
)
note(
  'snapshot / AsyncLocalStorage.snapshot()',
  snapshots,
  'ours',
  'platform',
  'at most 0.1 on Node 22',
)

const requests = await measure(
  {
    ours: async (count) => {
      for (let n = 0; n < count; n += 1) await runRequest({}, async () => touch())
    },
    // What a scope cannot do without: to know when it began, and to be told of its end.
    floor: async (count) => {
      for (let n = 0; n < count; n += 1) {
        const store = { value: performance.now() }
        const result = storage.run(store, async () => touch())
        const end = (): void => void (store.value = 0)
        result.then(end, end)
        await result
      }
    },
    platform: async (count) => {
      for (let n = 0; n < count; n += 1) await storage.run({ value: n }, async () => touch())
    },
  },
  50_000,
)
note(
  'the floor: a clock reading and a `then` besides / AsyncLocalStorage.run',
  requests,
  'floor',
  'platform',
  '',
)
note(
  'runRequest / AsyncLocalStorage.run, empty async handler',
  requests,
  'ours',
  'platform',
  'at most 1.5',
)

for (const depth of [0, 1, 2, 4, 8]) {
  const gets = await measure(
    {
      ours: (count) =>
        runRequest({ entries: [key.of(1)] }, () =>
          nested(depth, () => repeat(count, () => (sink += key.get() ?? 0))),
        ),
      platform: (count) =>
        storage.run({ value: 1 }, () =>
          repeat(count, () => (sink += storage.getStore()?.value ?? 0)),
        ),
    },
    1_000_000,
  )
  note(
    `key.get() at depth ${depth} / getStore() and a property`,
    gets,
    'ours',
    'platform',
    'at most 2',
  )
}

assert.ok(sink > 0)
print({
  title: `Context, ${runtime}`,
  about: 'CPU time, medians of interleaved rounds, quartiles of the ratio',
  columns: [['what / beside what'], ['ns'], ['ns beside'], ['ratio', 2], ['quartiles'], ['goal']],
  rows,
})
