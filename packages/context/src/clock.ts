import { performance } from 'node:perf_hooks'
import { nextTick } from 'node:process'
import { clearInterval, clearTimeout, setImmediate, setInterval, setTimeout } from 'node:timers'

/** The platform's functions of time. */
export interface Platform {
  /** ms on the `performance.now()` clock. */
  readonly now: () => number
  /** ms since 1970, when the above was 0. */
  readonly timeOrigin: number
  readonly setTimeout: typeof setTimeout
  readonly clearTimeout: typeof clearTimeout
  readonly setInterval: typeof setInterval
  readonly clearInterval: typeof clearInterval
  readonly setImmediate: typeof setImmediate
  /** `fn` must not throw. */
  readonly queueMicrotask: (fn: () => void) => void
  /** Calls `fn` when the promise jobs that are queued, and those that they queue, have run. */
  readonly nextTick: (fn: () => void) => void
}

const resolved = Promise.resolve()

// There is no module with the real one, as there is of the timers; what a test has put in its place at load
// shows itself: those of Jest, Vitest and Sinon have their clock, and another one never calls.
let hasTicked = false
if (!('clock' in nextTick)) {
  nextTick(() => {
    hasTicked = true
  })
}

/**
 * As they were when this module was loaded; all packages take them from here. Vitest, Jest and Sinon put
 * others in the places of the globals for the time of a test, and forget what was asked of those. Node's
 * modules give the real ones to an app that is loaded while the globals are replaced, too.
 */
export const platform: Platform = {
  now: performance.now.bind(performance),
  timeOrigin: performance.timeOrigin,
  setTimeout,
  clearTimeout,
  setInterval,
  clearInterval,
  setImmediate,
  queueMicrotask: (fn) => void resolved.then(fn),
  nextTick(fn) {
    if (hasTicked) nextTick(fn)
    else setImmediate(fn)
  },
}

/** A timer of a {@link Clock}. */
export interface Timer {
  /** The clock that made it, where that is one that a test has installed and may put away meanwhile. */
  readonly clock?: Clock
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
  now: platform.now,
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
  /** ms by which the time has gone back when another clock was last installed: 0 on the first. */
  setBack = 0
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
    platform.queueMicrotask(this.#endSharing)
    return this.now()
  }

  readonly #endSharing = (): void => {
    this.#isShared = false
  }

  setTimeout(fn: () => void, delay: number): Timer {
    return this.installed.setTimeout(fn, delay)
  }

  clearTimeout(timer: Timer | undefined): void {
    const { clock: owner = this.installed } = timer ?? {}
    owner.clearTimeout(timer)
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
 * A time that was worked out at `since`, as it is on the clock of `now`. The clock of `since` may have been a
 * test's, which was ahead and has been put away.
 */
export function realigned(time: number, since: number, now: number): number {
  return since > now ? time - clock.setBack : time
}

/** Clocks in the places of the system's, the one that counts last. */
const installed: Clock[] = []

/**
 * Puts another clock in the place of the process's. What waits already goes on waiting on the old one.
 *
 * @returns what takes it out again, in any order
 */
export function installClock(added: Clock): Disposable {
  installed.push(added)
  use(added)
  return {
    [Symbol.dispose]() {
      const place = installed.lastIndexOf(added)
      if (place < 0) return
      installed.splice(place, 1)
      use(installed.at(-1) ?? systemClock)
    },
  }
}

function use(next: Clock): void {
  if (clock.installed === next) return
  const before = clock.now()
  clock.installed = next
  // What another clock has read says nothing about this one.
  clock.setBack = Math.max(0, before - clock.now())
}
