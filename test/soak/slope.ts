export interface Point {
  readonly x: number
  readonly y: number
}

/**
 * The slope of the line through the points that outliers do not bend: the median of the slopes between
 * any two of them (Theil 1950, Sen 1968). A collector that ran late is an outlier, a leak is not.
 */
export function slopeOf(points: readonly Point[]): number {
  const slopes: number[] = []
  for (const [index, from] of points.entries()) {
    for (const to of points.slice(index + 1)) slopes.push((to.y - from.y) / (to.x - from.x))
  }
  slopes.sort((first, second) => first - second)
  const middle = slopes.length / 2
  return ((slopes[Math.ceil(middle) - 1] ?? 0) + (slopes[Math.floor(middle)] ?? 0)) / 2
}
