import { runNeutral } from '@heddle/context'
import { type Clock, clock, type Timer } from '@heddle/context/engine'

/** The longest delay of a timer, ms; Node fires a longer one at once. */
const MAX_DELAY = 2 ** 31 - 1

/**
 * One timer for everything that an engine waits for, armed for the earliest. It is made on neutral
 * ground, and keeps the process alive: callers wait for it, and a pending promise alone does not.
 */
export class Alarm {
  readonly #ring: () => void
  /** The last one that was made: it may ring yet, or have rung. */
  #timer: Timer | undefined
  /** Whose timer it is: a test may have installed another clock since. */
  #clock: Clock | undefined
  /** ms, of the timer. */
  #delay = 0
  /** When the timer is to ring, which may be before `#at`. */
  #due = 0
  #isArmed = false
  #at = Number.POSITIVE_INFINITY

  constructor(ring: () => void) {
    this.#ring = ring
  }

  /** Rings at `time` (ms, `performance.now()` clock) unless it would ring earlier already. */
  set(time: number): void {
    if (this.#isArmed && this.#isLost) this.#at = Math.min(time, clock.latest)
    else if (time >= this.#at) return
    else this.#at = time
    this.#arm()
  }

  /**
   * Whether the timer may never ring: another clock has been installed since, or it is late. Fake timers of
   * `bun test` are forgotten when the test puts the real ones back.
   */
  get #isLost(): boolean {
    return this.#clock !== clock.installed || this.#due < clock.latest
  }

  clear(): void {
    this.#at = Number.POSITIVE_INFINITY
    if (!this.#isArmed) return
    clock.clearTimeout(this.#timer)
    this.#isArmed = false
    // One that was cleared cannot be used again on Node.
    this.#timer = undefined
  }

  #arm(): void {
    const now = clock.now()
    const delay = Math.min(Math.max(Math.ceil(this.#at - now), 1), MAX_DELAY)
    this.#due = now + delay
    const timer = this.#timer
    if (this.#isArmed) clock.clearTimeout(timer)
    else if (timer && delay === this.#delay && clock.installed === this.#clock) {
      // Lingering takes the same time again and again, and this costs less than a new timer.
      this.#isArmed = true
      // One that has rung takes on the context that refreshes it (Node), which may be a caller's.
      runNeutral(() => timer.refresh())
      return
    }
    this.#isArmed = true
    this.#delay = delay
    this.#clock = clock.installed
    this.#timer = runNeutral(() => clock.setTimeout(this.#fired, delay))
  }

  readonly #fired = (): void => {
    this.#isArmed = false
    // Node's timers fire up to 1 ms early, and a long delay was capped. Of a time on another clock nobody
    // knows when it is: whoever waits for it looks again.
    if (clock.now() < this.#at && this.#clock === clock.installed) {
      this.#arm()
      return
    }
    this.#at = Number.POSITIVE_INFINITY
    this.#ring()
  }
}
