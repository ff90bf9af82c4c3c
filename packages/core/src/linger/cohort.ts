/** The share of the callers of a batch that makes a cohort when it comes back. */
const SHARE = 0.85
/** How much the latest observation counts in an average. */
const LATEST = 0.1
/** How often cohorts must have come back in time before one is waited for. */
const TRUSTED = 0.6
/** A cohort is back in time within this share of what the next batch takes … */
const EARLY = 0.5
/** … and of its fixed part, which is what waiting can save. */
const WORTH_WAITING = 0.85
/** A relative variance of return times, per caller, that arrivals at random do not have. */
const REGULAR = 0.25
/** A wait is given up after this share of the fixed part … */
const LONGEST = 1.2
/** … or when the cohort takes so many times as long as usual, and a turn of a timer more (ms). */
const LATE = 1.5
const TIMER = 1
/** While items follow each other within this share of the usual time, the rest of the cohort may come. */
const STRAGGLING = 0.1

/**
 * Clients that come back: those that were just answered ask again, all at about the same time. When
 * they have done so often enough, a batch waits for them, since two groups of clients that take turns
 * pay the fixed cost of a batch twice. Made for one slot.
 */
export class Cohort {
  /** Callers that the last batch answered. */
  #answered = 0
  #answeredAt = 0
  /** Arrivals since. */
  #returned = 0
  #lastArrival = 0
  /** ms after the answers that the cohort was back; `undefined` until it is. */
  #returnTime: number | undefined
  /** Averages: how often cohorts were back in time, and when (ms), with its variance. */
  #trust = 0
  #mean = 0
  #variance = 0

  /** @param isFull - whether a batch is full now, so that nobody else has to be waited for */
  arrived(now: number, isFull: boolean): void {
    this.#returned += 1
    this.#lastArrival = now
    if (isFull || this.#returned >= this.#size) this.#returnTime ??= now - this.#answeredAt
  }

  /**
   * A batch has ended, before which the cohort of the last one must have been back.
   *
   * @param fixed - ms that a batch takes whatever its size
   * @param perItem - ms more for each item
   */
  completed(now: number, size: number, fixed: number, perItem: number): void {
    if (this.#answered > 0) this.#judge(fixed, fixed + perItem * this.#answered)
    this.#answered = size
    this.#answeredAt = now
    this.#returned = 0
    this.#returnTime = undefined
  }

  /**
   * ms from now that the batch had better wait for clients to come back, 0 if all of them are there;
   * `undefined` if clients do not come back together, or these no longer will.
   *
   * @param fixed - ms that a batch takes whatever its size
   * @param most - items that a batch can have
   */
  hold(now: number, waiting: number, fixed: number, most: number): number | undefined {
    if (this.#trust < TRUSTED || this.#answered === 0) return undefined
    if (this.#returned >= this.#answered) return 0
    const clients = waiting + this.#answered - this.#returned
    // More than fit: by turns they need two batches for all of them, which a full one after a wait must beat.
    // Compared for each item; what the items themselves take is the same in both.
    if (clients > most && (this.#mean + fixed) / most > (2 * fixed) / clients) return undefined
    const longest = this.#answeredAt + LONGEST * fixed
    const late = this.#answeredAt + LATE * this.#mean + TIMER
    const straggling = this.#lastArrival + STRAGGLING * this.#mean
    const until = Math.min(longest, this.#returned < this.#size ? late : straggling)
    return until > now ? until - now : undefined
  }

  get #size(): number {
    return Math.ceil(SHARE * this.#answered)
  }

  #judge(fixed: number, runTime: number): void {
    const time = this.#returnTime
    if (time !== undefined) {
      const off = time - this.#mean
      this.#mean += LATEST * off
      this.#variance = (1 - LATEST) * (this.#variance + LATEST * off * off)
    }
    // Arrivals at random come as late, and as early, as they like.
    const isRegular = this.#variance * this.#size < REGULAR * this.#mean * this.#mean
    const limit = Math.min(WORTH_WAITING * fixed, isRegular ? Infinity : EARLY * runTime)
    const wasInTime = time !== undefined && time <= limit
    this.#trust += LATEST * ((wasInTime ? 1 : 0) - this.#trust)
  }
}
