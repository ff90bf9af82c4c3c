import { clock } from '@heddle/context/engine'

/**
 * Decides under load what is shown, so that watching costs no more however much there is: as much as a
 * bucket holds, which fills evenly, so that what is shown is spread over time.
 */
export class Budget {
  readonly #perMillisecond: number
  readonly #most: number
  #rest: number
  #filledAt: number = clock.now()

  /**
   * @param perSecond - that may be shown
   * @param most - at a time
   */
  constructor(perSecond: number, most: number) {
    this.#perMillisecond = perSecond / 1000
    this.#most = most
    this.#rest = most
  }

  /** Whether so many may be shown. If anything may, all of them may, so that no batch is too large. */
  takes(count: number): boolean {
    const now = clock.now()
    const filled = this.#rest + (now - this.#filledAt) * this.#perMillisecond
    this.#filledAt = now
    this.#rest = Math.min(this.#most, filled)
    if (this.#rest <= 0) return false
    this.#rest -= count
    return true
  }
}
