export interface Ran {
  readonly cost: number
  /** ms */
  readonly duration: number
}

/** ms that a batch of this cost takes: weighted least squares, as the textbook has it. */
export function expected(
  durations: readonly Ran[],
  batchCost: number,
): { readonly mean: number; readonly p95: number } {
  if (durations.length < 4) return { mean: 0, p95: 0 }
  const weights = durations.map((_, n) => 0.98 ** (durations.length - 1 - n))
  const sum = (of: (n: number) => number): number =>
    weights.reduce((total, weight, n) => total + weight * of(n), 0)
  const x = durations.map((one) => one.cost)
  const y = durations.map((one) => one.duration)
  const meanX = sum((n) => x[n] ?? 0) / sum(() => 1)
  const meanY = sum((n) => y[n] ?? 0) / sum(() => 1)
  const spread = sum((n) => ((x[n] ?? 0) - meanX) ** 2)
  const together = sum((n) => ((x[n] ?? 0) - meanX) * ((y[n] ?? 0) - meanY))
  let slope = spread < 1e-6 ? 0 : Math.max(0, together / spread)
  if (meanY < slope * meanX) slope = meanY / meanX
  const fixed = Math.max(0, meanY - slope * meanX)
  const variance = sum((n) => ((y[n] ?? 0) - fixed - slope * (x[n] ?? 0)) ** 2) / sum(() => 1)
  const mean = fixed + slope * batchCost
  return { mean, p95: mean === 0 ? 0 : mean + 1.645 * Math.sqrt(variance) }
}
