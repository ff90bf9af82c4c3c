/** A timer of a {@link Clock}. */
export interface Timer {
  /** Lets it ring again, as long after now as when it was made. */
  refresh(): unknown
  /** It no longer keeps the process alive. */
  unref(): unknown
}

/** Time as these packages read it and wait for it, so that tests can put another in its place. */
export interface Clock {
  /** ms, of which only differences mean something; the `performance.now()` clock. */
  now(): number
  /** @param delay - ms */
  setTimeout(fn: () => void, delay: number): Timer
  /** Does nothing if it has rung or been cleared already. */
  clearTimeout(timer: Timer | undefined): void
  /** Calls `fn` when the event loop has read every socket that had something. */
  setImmediate(fn: () => void): void
  /**
   * Calls `fn` in the next turn of the event loop, for who looks at the clock in each turn.
   *
   * @param delay - ms that the caller waits for: time that only moves when nothing else is to be done has to
   * move by itself
   */
  nextTurn(fn: () => void, delay: number): void
}

const systemClock: Clock = {
  now: () => performance.now(),
  setTimeout: (fn, delay) => setTimeout(fn, delay),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout | undefined),
  setImmediate: (fn) => void setImmediate(fn),
  nextTurn: (fn) => void setImmediate(fn),
}

/** The clock of this process: the one that is installed, and what it read last. */
class ProcessClock implements Clock {
  installed: Clock = systemClock
  /** The latest reading anybody has made, ms: for who cannot pay for one of their own. */
  latest = 0
  #isShared = false

  now(): number {
    return (this.latest = this.installed.now())
  }

  /**
   * ms: a reading made since the event loop called the code that runs now, or the promise job before it in
   * the same row. What is submitted together shares one, since reading the clock for each would be a good
   * part of what an item costs.
   */
  shared(): number {
    // Tests that move time by hand expect it to have moved.
    if (this.installed !== systemClock) return this.now()
    if (this.#isShared) return this.latest
    this.#isShared = true
    queueMicrotask(this.#endSharing)
    return this.now()
  }

  readonly #endSharing = (): void => {
    this.#isShared = false
  }

  setTimeout(fn: () => void, delay: number): Timer {
    return this.installed.setTimeout(fn, delay)
  }

  clearTimeout(timer: Timer | undefined): void {
    this.installed.clearTimeout(timer)
  }

  setImmediate(fn: () => void): void {
    this.installed.setImmediate(fn)
  }

  nextTurn(fn: () => void, delay: number): void {
    this.installed.nextTurn(fn, delay)
  }
}

export const clock: ProcessClock = new ProcessClock()

/**
 * Puts another clock in the place of the process's. What waits already goes on waiting on the old one.
 *
 * @returns what puts the old one back
 */
export function installClock(installed: Clock): Disposable {
  const replaced = clock.installed
  install(installed)
  return { [Symbol.dispose]: () => install(replaced) }
}

function install(installed: Clock): void {
  clock.installed = installed
  // What another clock has read says nothing about this one.
  clock.now()
}
