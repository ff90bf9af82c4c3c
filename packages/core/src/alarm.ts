import { runNeutral } from '@heddle/context'
import { clock, type Timer } from '@heddle/context/engine'

/** The longest delay of a timer, ms; Node fires a longer one at once. */
const MAX_DELAY = 2 ** 31 - 1

/**
 * One timer for everything that an engine waits for, armed for the earliest. It is made on neutral
 * ground, and keeps the process alive: callers wait for it, and a pending promise alone does not.
 */
export class Alarm {
  readonly #ring: () => void
  #timer: Timer | undefined
  #at = Number.POSITIVE_INFINITY

  constructor(ring: () => void) {
    this.#ring = ring
  }

  /** Rings at `time` (ms, `performance.now()` clock) unless it would ring earlier already. */
  set(time: number): void {
    if (time >= this.#at) return
    this.#at = time
    clock.clearTimeout(this.#timer)
    this.#arm()
  }

  clear(): void {
    this.#at = Number.POSITIVE_INFINITY
    clock.clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #arm(): void {
    const left = this.#at - clock.now()
    const delay = Math.min(Math.max(Math.ceil(left), 1), MAX_DELAY)
    this.#timer = runNeutral(() => clock.setTimeout(this.#fired, delay))
  }

  readonly #fired = (): void => {
    // Node's timers fire up to 1 ms early, and a long delay was capped.
    if (clock.now() < this.#at) {
      this.#arm()
      return
    }
    this.clear()
    this.#ring()
  }
}
