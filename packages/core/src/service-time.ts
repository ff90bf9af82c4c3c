/** How much of its weight an observation keeps with each one that comes after it. */
const FORGETTING = 0.98
/** Standard deviations below which 95 % of a normal distribution lie. */
const Z95 = 1.645
/** Observations before an estimate is given. */
const LEAST_OBSERVATIONS = 4

/** ms that a batch will take; 0 while too little is known. */
export interface RunTime {
  readonly mean: number
  /** 19 of 20 take no longer. */
  readonly p95: number
}

/**
 * How long a batch takes: τ(x) = τ₀ + α·x for a batch of cost x, both at least 0, by least squares in
 * which older batches count less.
 */
export class ServiceTime {
  #count = 0
  #weight = 0
  #meanCost = 0
  #meanTime = 0
  /** Weighted sums of squares and products about the means. */
  #spread = 0
  #together = 0
  #timeSpread = 0

  /** @param duration - ms */
  observe(cost: number, duration: number): void {
    this.#count += 1
    this.#weight = this.#weight * FORGETTING + 1
    this.#spread *= FORGETTING
    this.#together *= FORGETTING
    this.#timeSpread *= FORGETTING
    const share = 1 / this.#weight
    const fromCost = cost - this.#meanCost
    this.#meanCost += fromCost * share
    const fromTime = duration - this.#meanTime
    this.#meanTime += fromTime * share
    this.#spread += fromCost * (cost - this.#meanCost)
    this.#together += fromCost * (duration - this.#meanTime)
    this.#timeSpread += fromTime * (duration - this.#meanTime)
  }

  /** ms that a batch of this cost will take; 0 while too little is known. */
  estimate(cost: number): number {
    if (this.#count < LEAST_OBSERVATIONS) return 0
    const slope = this.perCost
    return Math.max(0, this.#meanTime - slope * this.#meanCost) + slope * cost
  }

  /** What a batch of this cost will take. */
  expect(cost: number): RunTime {
    const mean = this.estimate(cost)
    if (mean === 0) return { mean, p95: 0 }
    const slope = this.perCost
    // What is left of the squares about the means when the line is taken away.
    const left = this.#timeSpread - slope * (2 * this.#together - slope * this.#spread)
    return { mean, p95: mean + Z95 * Math.sqrt(Math.max(0, left) / this.#weight) }
  }

  /** α, ms for each unit of cost. */
  get perCost(): number {
    if (this.#spread <= 1e-9 * this.#weight) return 0
    const slope = Math.max(0, this.#together / this.#spread)
    // τ₀ must not be below 0 either: then the line goes through the origin.
    return this.#meanTime < slope * this.#meanCost ? this.#meanTime / this.#meanCost : slope
  }
}
