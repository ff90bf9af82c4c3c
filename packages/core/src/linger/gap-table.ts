/** How many lengths of gaps are told apart. */
const BUCKETS = 36
/** ms, where the first bucket ends; each of the others is `RATIO` times as long as the one before it. */
const SHORTEST = 0.02
const RATIO = 1.4
/** How much of its weight a gap keeps with each one that comes after it. */
const FORGETTING = 1 - 1 / 64
/** Gaps after a certain number waiting count for their share above this many of all gaps. */
const PRIOR_WEIGHT = 8
const LARGEST_WEIGHT = 1e12
/** Up to so many waiting items are told apart. */
const MOST_WAITING = 33

/** ms; less of a bucket is nothing that anybody could wait for. */
const INSTANT = 0.001

const LOG_RATIO = Math.log(RATIO)
/** Where each bucket begins, ms, and the last one ends. */
const EDGES: Float64Array = Float64Array.from({ length: BUCKETS + 1 }, (_, bucket) =>
  bucket === 0 ? 0 : SHORTEST * RATIO ** (bucket - 1),
)

/** What a gap began with: a row of the tables. */
const AFTER_COMPLETION = 0
const AFTER_ARRIVAL = 1

/**
 * The chance that an item arrives soon, learned from the gaps between events. A gap begins with an
 * arrival or the end of a batch, and ends with an arrival, or unanswered with the end of a batch: then
 * nobody knows how long it would have been, but it was at least so long (a censored observation, as in
 * a life table). Gaps after arrivals are kept by how many waited, too: a burst of a certain size is over
 * when all of it is there.
 *
 * All is in two arrays of weights, a row for each kind of beginning and a column for each length.
 */
export class GapTable {
  readonly #ended = new Float64Array((MOST_WAITING + 2) * BUCKETS)
  readonly #censored = new Float64Array((MOST_WAITING + 2) * BUCKETS)
  /** Grows with each gap, instead of making all those before it lighter. */
  #weight = 1
  #since = 0
  /** How many waited after the arrival that the gap began with; 0 if it began with the end of a batch. */
  #waiting = 0

  /** An item has arrived, and `waiting` wait now. */
  arrived(now: number, waiting: number): void {
    this.#observe(now, this.#ended)
    this.#begin(now, Math.max(1, waiting))
  }

  /** A batch has ended. */
  completed(now: number): void {
    this.#observe(now, this.#censored)
    this.#begin(now, 0)
  }

  /**
   * The wait for the next arrival that is worth most: a newcomer is worth `gain`, and a ms of waiting
   * costs `price`.
   *
   * @param horizon - ms, the longest wait to look at
   * @returns ms from now, 0 if none is worth it
   */
  bestWait(now: number, gain: number, price: number, horizon: number): number {
    const elapsed = now - this.#since
    const all = rowOf(this.#waiting === 0 ? AFTER_COMPLETION : AFTER_ARRIVAL)
    const own = this.#waiting === 0 ? undefined : rowOf(AFTER_ARRIVAL + this.#waiting)
    const prior = PRIOR_WEIGHT * this.#weight
    const first = bucketOf(elapsed)
    let atRisk = this.#atRisk(all, first)
    let ownAtRisk = own === undefined ? 0 : this.#atRisk(own, first)
    let nobody = 1
    let meanWait = 0
    let best = 0
    let bestWait = 0
    for (let bucket = first; bucket < BUCKETS && atRisk > 0; bucket += 1) {
      const begin = EDGES[bucket] ?? 0
      const end = EDGES[bucket + 1] ?? 0
      const from = Math.max(begin, elapsed)
      if (from - elapsed > horizon) break
      let chance = this.#at(this.#ended, all, bucket) / atRisk
      atRisk -= this.#seen(all, bucket)
      if (own !== undefined) {
        chance = (this.#at(this.#ended, own, bucket) + prior * chance) / (ownAtRisk + prior)
        ownAtRisk -= this.#seen(own, bucket)
      }
      if (end - from < INSTANT) continue
      const left = (end - from) / (end - begin)
      const stillNobody = nobody * (1 - Math.min(chance, 1)) ** left
      meanWait += ((nobody + stillNobody) / 2) * (end - from)
      nobody = stillNobody
      const worth = (1 - nobody) * gain - price * meanWait
      if (worth > best) {
        best = worth
        bestWait = end - elapsed
      }
    }
    return bestWait
  }

  #begin(now: number, waiting: number): void {
    this.#since = now
    this.#waiting = Math.min(waiting, MOST_WAITING)
  }

  #observe(now: number, table: Float64Array): void {
    const bucket = bucketOf(now - this.#since)
    if (this.#waiting === 0) {
      this.#add(table, rowOf(AFTER_COMPLETION) + bucket)
    } else {
      this.#add(table, rowOf(AFTER_ARRIVAL) + bucket)
      this.#add(table, rowOf(AFTER_ARRIVAL + this.#waiting) + bucket)
    }
    this.#weight /= FORGETTING
    if (this.#weight > LARGEST_WEIGHT) this.#rescale()
  }

  #add(table: Float64Array, index: number): void {
    table[index] = (table[index] ?? 0) + this.#weight
  }

  /** The weight of the gaps that were at least as long as where the bucket begins. */
  #atRisk(row: number, from: number): number {
    let weight = 0
    for (let bucket = from; bucket < BUCKETS; bucket += 1) weight += this.#seen(row, bucket)
    return weight
  }

  #seen(row: number, bucket: number): number {
    return this.#at(this.#ended, row, bucket) + this.#at(this.#censored, row, bucket)
  }

  #at(table: Float64Array, row: number, bucket: number): number {
    return table[row + bucket] ?? 0
  }

  #rescale(): void {
    for (const table of [this.#ended, this.#censored]) {
      for (let index = 0; index < table.length; index += 1) {
        table[index] = (table[index] ?? 0) / this.#weight
      }
    }
    this.#weight = 1
  }
}

function rowOf(kind: number): number {
  return kind * BUCKETS
}

/** @param gap - ms */
function bucketOf(gap: number): number {
  if (gap < SHORTEST) return 0
  return Math.min(BUCKETS - 1, 1 + Math.floor(Math.log(gap / SHORTEST) / LOG_RATIO))
}
