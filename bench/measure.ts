import { getHeapStatistics } from 'node:v8'

/** Runs an operation `count` times. */
export type Operation = (count: number) => void | Promise<void>

/** `--quick` shows that it works; its ratios are rough. */
const ROUNDS = process.argv.includes('--quick') ? 3 : 11

/**
 * CPU ns per operation of each, a number for each round: they take turns, so that a ratio holds on a
 * machine that other work shares.
 */
export async function measure<Name extends string>(
  operations: Readonly<Record<Name, Operation>>,
  count: number,
): Promise<Record<Name, readonly number[]>> {
  const entries = Object.entries<Operation>(operations)
  const times = await takeTurns(entries, ROUNDS + 1, async ([, operation]) => {
    const time = await cpuTime(() => operation(count))
    return (time * 1e3) / count
  })
  // The first round warms up.
  const pairs = entries.map(([name], index) => [name, times[index]?.slice(1) ?? []])
  return Object.fromEntries(pairs) as Record<Name, readonly number[]>
}

/** µs of CPU time that this process takes, in all its threads. */
export async function cpuTime(work: () => void | Promise<void>): Promise<number> {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return user + system
}

/** Bytes that this process has allocated so far; NaN where the runtime does not tell. */
export function allocated(): number {
  if (process.versions['bun']) return Number.NaN
  const { total_allocated_bytes: bytes = Number.NaN } = getHeapStatistics() as {
    readonly total_allocated_bytes?: number
  }
  return bytes
}

/**
 * Measures each subject once in each round; each comes after each other one in turn.
 *
 * @returns for each subject, what it was in each round
 */
export async function takeTurns<Subject, Result>(
  subjects: readonly Subject[],
  rounds: number,
  measureOne: (subject: Subject) => Promise<Result>,
): Promise<Result[][]> {
  const results = subjects.map((): Result[] => [])
  for (let round = 0; round < rounds; round += 1) {
    for (let turn = 0; turn < subjects.length; turn += 1) {
      const index = (round + turn) % subjects.length
      results[index]?.push(await measureOne(subjects[index] as Subject))
    }
  }
  return results
}

/** Of each round: what disturbs one disturbs both of its sides. */
export function ratios(own: readonly number[], others: readonly number[]): number[] {
  return own.map((value, round) => value / (others[round] ?? Number.NaN))
}

/** The quartiles. */
export function spread(values: readonly number[], digits = 2): string {
  const sorted = values.toSorted((a, b) => a - b)
  return [0.25, 0.75].map((share) => quantile(sorted, share).toFixed(digits)).join(' – ')
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

/** @param sorted - ascending */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN
}

export const runtime: string = process.versions['bun']
  ? `Bun ${process.versions['bun']}`
  : `Node ${process.version.slice(1)}`
