import { runtime } from '../measure.ts'
import type { Cell, Table } from '../report.ts'
import type { Idle, Result } from './compare.ts'
import { BATCH_MS, type Work } from './work.ts'

const WORKS: Readonly<Record<Work, string>> = {
  sleep: `A batch takes ${BATCH_MS} ms whatever its size`,
  matmul: 'A batch is an ONNX model, (n, 512) · (512, 512), on one thread',
}

export function loadTable(work: Work, results: readonly Result[]): Table {
  return {
    title: `LitServe: ${work}`,
    about: `${WORKS[work]}; Heddle on ${runtime}; CPU time of all processes of a service; medians`,
    columns: [
      ['service'],
      ['max batch'],
      ['connections'],
      ['CPU µs per request', 0],
      ['× LitServe', 3],
      ['requests/s', 0],
      ['× LitServe', 1],
      ['p50 ms', 1],
      ['p99 ms', 1],
      ['mean batch', 1],
    ],
    rows: results
      .toSorted((a, b) => a.connections - b.connections)
      .map((result) => {
        const other = sameOf(results, result, 'LitServe')
        return [
          `${result.subject.library}${result.path === '/predict' ? '' : ', unbatched'}`,
          result.subject.maxBatchSize,
          result.connections,
          result.cpu * 1e3,
          other && result.cpu / other.cpu,
          result.rate,
          other && result.rate / other.rate,
          result.p50,
          result.p99,
          result.meanBatchSize,
        ]
      }),
  }
}

export function idleTable(work: Work, idles: readonly Idle[]): Table {
  return {
    title: `LitServe: ${work}, nobody asks`,
    about: 'Share of a core, and resident memory, of all processes of a service after the loads',
    columns: [['service'], ['max batch'], ['CPU %', 2], ['memory MiB', 0]],
    rows: idles.map(({ subject: { library, maxBatchSize }, cpu, memory }) => [
      library,
      maxBatchSize,
      cpu * 100,
      memory / 2 ** 20,
    ]),
  }
}

/** What was to be reached, of the batches that sleep. */
export function goalTable(results: readonly Result[], idles: readonly Idle[]): Table {
  const rows = results
    .filter(({ subject, path }) => subject.library === 'Heddle' && path === '/predict')
    .flatMap((result) => goalsOf(result, results))
  const busiest = Math.max(
    ...idles.filter(({ subject }) => subject.library === 'Heddle').map(({ cpu }) => cpu * 100),
  )
  return {
    title: 'LitServe: goals',
    about: 'What was to be reached, and what was measured',
    columns: [['goal'], ['at'], ['measured', 2], ['wanted']],
    rows: [...rows, ['idle CPU, %', 'the busiest', busiest, 'below 0.5']],
  }
}

function goalsOf(result: Result, results: readonly Result[]): Cell[][] {
  const { maxBatchSize } = result.subject
  const at = `${result.connections} connections, max ${maxBatchSize}`
  if (result.connections === 1) {
    const unbatched = results.find(
      ({ subject, path }) => subject === result.subject && path === '/unbatched',
    )
    return [
      [
        'p50 of a lone request beyond the unbatched call, ms',
        at,
        result.p50 - (unbatched?.p50 ?? Number.NaN),
        'at most 1',
      ],
    ]
  }
  const other = sameOf(results, result, 'LitServe')
  const ideal = (maxBatchSize / BATCH_MS) * 1e3
  const rows: Cell[][] = [
    ['requests/s, × LitServe', at, other && result.rate / other.rate, 'at least 3'],
    ['CPU per request, × LitServe', at, other && result.cpu / other.cpu, 'at most 0.1'],
    ['requests/s, share of the ideal', at, result.rate / ideal, 'at least 0.95'],
  ]
  if (result.connections !== 64) return rows
  // Requests in the system = their rate × their time in it: with 64 always there, none can have less on average.
  const least = (result.connections / ideal) * 1e3
  const wanted = `at most ${2 * BATCH_MS}; the mean cannot be below ${least.toFixed(0)}`
  return [...rows, ['p99, ms', at, result.p99, wanted]]
}

function sameOf(
  results: readonly Result[],
  { subject: { maxBatchSize }, path, connections }: Result,
  library: Result['subject']['library'],
): Result | undefined {
  return results.find(
    (each) =>
      each.subject.library === library &&
      each.subject.maxBatchSize === maxBatchSize &&
      each.path === path &&
      each.connections === connections,
  )
}
