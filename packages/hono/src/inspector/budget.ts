import { clock } from '@heddle/context/engine'

/** ms. */
const PERIOD = 100
/** Items that are shown in one period: more than a screen can, and less than a browser minds. */
const PER_PERIOD = 600

/** Decides under load which batches are shown, so that watching costs no more however many there are. */
export class Budget {
  /** Items that were not shown. */
  left = 0
  #period = 0
  #taken = 0

  /**
   * Whether so many items may be shown, a batch as a whole.
   *
   * @param size - how many it stands for, if not
   */
  takes(count: number, size: number): boolean {
    const period = Math.floor(clock.now() / PERIOD)
    if (period !== this.#period) {
      this.#period = period
      this.#taken = 0
    }
    // The first one always, be it as large as it may.
    if (this.#taken > 0 && this.#taken + count > PER_PERIOD) {
      this.left += size
      return false
    }
    this.#taken += count
    return true
  }
}
