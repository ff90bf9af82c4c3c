import { runNeutral } from '@heddle/context'
import { clock } from '@heddle/context/engine'

/** ms; a timer takes at least so long. */
export const SHORTEST_TIMER = 1

/**
 * Waits for less than a ms, which no timer can: it looks at the clock in each turn of the event loop. That
 * takes all the processor time that nobody else wants, so it is for waits that are sure to be short.
 */
export class ShortWait {
  readonly #ring: () => void
  #at = Number.POSITIVE_INFINITY
  #hasTurn = false

  constructor(ring: () => void) {
    this.#ring = ring
  }

  /** Rings at `time`, ms on the `performance.now()` clock, and no longer at any other. */
  set(time: number): void {
    this.#at = time
    if (!this.#hasTurn) runNeutral(this.#askForTurn)
  }

  clear(): void {
    this.#at = Number.POSITIVE_INFINITY
  }

  readonly #askForTurn = (): void => {
    this.#hasTurn = true
    clock.nextTurn(this.#turn, Math.max(0, this.#at - clock.now()))
  }

  readonly #turn = (): void => {
    this.#hasTurn = false
    if (this.#at === Number.POSITIVE_INFINITY) return
    const left = this.#at - clock.now()
    // It was less than a ms: more says that the clock has been set back.
    if (left > 0 && left <= SHORTEST_TIMER) {
      this.#askForTurn()
      return
    }
    this.clear()
    this.#ring()
  }
}
