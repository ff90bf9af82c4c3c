/** Each power of two has so many buckets, so a value is known to 1/128 of itself. */
const BUCKETS = 64
/** Values below are all told apart: two powers of `BUCKETS`. */
const EXACT_BITS = 7
const LARGEST = 2 ** 32 - 1

/**
 * How often values occurred, whole numbers from 0 to 2³² - 1, in buckets that grow with the value (after
 * HdrHistogram). Node's own takes a record for each value, a tenth of what an item costs.
 */
export class Histogram {
  readonly #counts = new Float64Array(BUCKETS * (32 - EXACT_BITS + 2))
  #count = 0
  #sum = 0
  #max = 0

  get count(): number {
    return this.#count
  }

  get max(): number {
    return this.#max
  }

  get mean(): number {
    return this.#count === 0 ? 0 : this.#sum / this.#count
  }

  record(value: number, times: number): void {
    const whole = Math.min(Math.max(Math.round(value), 0), LARGEST)
    const bucket = bucketOf(whole)
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + times
    this.#count += times
    this.#sum += whole * times
    if (whole > this.#max) this.#max = whole
  }

  /** The value that a share of all do not exceed, to 1/128 of itself; 0 where there is none. */
  quantile(share: number): number {
    let left = share * this.#count
    for (const [bucket, count] of this.#counts.entries()) {
      left -= count
      if (count > 0 && left <= 0) return Math.min(middleOf(bucket), this.#max)
    }
    return this.#max
  }
}

function bucketOf(value: number): number {
  const shift = shiftOf(value)
  return shift * BUCKETS + (value >>> shift)
}

/** By how many bits a value is coarser than it could be. */
function shiftOf(value: number): number {
  return Math.max(0, 32 - EXACT_BITS - Math.clz32(value))
}

function middleOf(bucket: number): number {
  if (bucket < 2 * BUCKETS) return bucket
  const shift = Math.floor(bucket / BUCKETS) - 1
  const width = 2 ** shift
  return (bucket - shift * BUCKETS) * width + (width - 1) / 2
}
