/** Runs an operation `count` times. */
export type Operation = (count: number) => void | Promise<void>

/** `--quick` shows that it works; its ratios are rough. */
const ROUNDS = process.argv.includes('--quick') ? 3 : 11

/**
 * CPU ns per operation of each, medians of rounds in which they take turns, so that a ratio holds on a
 * machine that other work shares.
 */
export async function measure(
  operations: Readonly<Record<string, Operation>>,
  count: number,
): Promise<Record<string, number>> {
  const rounds: Record<string, number[]> = {}
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const [name, operation] of Object.entries(operations)) {
      const before = process.cpuUsage()
      await operation(count)
      const { user, system } = process.cpuUsage(before)
      // The first round warms up.
      if (round > 0) (rounds[name] ??= []).push(((user + system) * 1e3) / count)
    }
  }
  return Object.fromEntries(Object.entries(rounds).map(([name, times]) => [name, median(times)]))
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

export const runtime: string = process.versions['bun']
  ? `Bun ${process.versions['bun']}`
  : `Node ${process.version.slice(1)}`
