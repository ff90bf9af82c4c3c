import { runNeutral } from '@heddle/context'
import { type Clock, clock, installClock, platform, type Timer } from '@heddle/context/engine'

import { Heap, type HeapEntry } from '../heap.ts'

const { setImmediate: afterThisTurn } = platform

/**
 * Time starts at a multiple of this many ms (4.7 hours), so that sums of times are rounded alike in every run,
 * however old the process is.
 */
const EPOCH = 2 ** 24

/** Time that stands still until the test moves it. */
export interface VirtualClock extends Disposable {
  /** ms on the `performance.now()` clock; it starts after the real time, always at the same. */
  now(): number
  /** Timers that have not rung. Nothing waits for one when batchers are idle. */
  readonly timers: number
  /** Runs everything that needs no time to pass. */
  settle(): Promise<void>
  /** Moves on by so many ms; what is due on the way runs at its own time. */
  advance(milliseconds: number): Promise<void>
  /** Puts the real clock back. What waits goes on there, for as long as it had left. */
  [Symbol.dispose](): void
}

/**
 * Stops the time of all batchers and scopes of the process: their deadlines, lingering and ages go by
 * this clock until it is disposed of. Install it before the first submit. What a batch function itself
 * waits for (a database, `setTimeout`) is not its affair.
 *
 * @example
 * ```ts
 * using clock = virtualClock()
 * const answer = batcher.submit(1, { timeout: 1_000 })
 * await clock.advance(1_000) // in no time: the deadline has passed
 * ```
 */
export function virtualClock(): VirtualClock {
  return new ManualClock()
}

class ManualTimer implements Timer, HeapEntry {
  heapIndex = -1
  at: number
  order = 0
  readonly delay: number
  readonly ring: () => void
  readonly clock: ManualClock
  /** What rings in its place once its clock has been put away. */
  #real: Timer | undefined
  #isUnref = false

  constructor(owner: ManualClock, ring: () => void, delay: number) {
    this.clock = owner
    this.ring = ring
    this.delay = delay
    this.at = owner.now() + delay
  }

  refresh(): void {
    this.clock.arm(this)
  }

  unref(): void {
    // Virtual time keeps no process alive.
    this.#isUnref = true
  }

  /** Rings on the clock that counts now. */
  moveOn(delay: number): void {
    this.#real = clock.setTimeout(this.ring, delay)
    if (this.#isUnref) this.#real.unref()
  }

  clear(): void {
    clock.clearTimeout(this.#real)
    this.#real = undefined
  }
}

class ManualClock implements Clock, VirtualClock {
  #now = Math.ceil(platform.now() / EPOCH) * EPOCH
  #armed = 0
  #immediates: (() => void)[] = []
  readonly #timers = new Heap<ManualTimer>(isEarlier)
  /** The one in whose place it stands. */
  readonly #replaced: Clock = clock.installed
  readonly #installed: Disposable = installClock(this)

  get timers(): number {
    return this.#timers.size
  }

  now(): number {
    return this.#now
  }

  setTimeout(fn: () => void, delay: number): ManualTimer {
    const timer = new ManualTimer(this, fn, delay)
    this.arm(timer)
    return timer
  }

  arm(timer: ManualTimer): void {
    this.#timers.remove(timer)
    timer.at = this.#now + timer.delay
    timer.order = this.#armed += 1
    this.#timers.add(timer)
  }

  clearTimeout(timer: Timer | undefined): void {
    if (!(timer instanceof ManualTimer)) {
      this.#replaced.clearTimeout(timer)
      return
    }
    this.#timers.remove(timer)
    timer.clear()
  }

  setImmediate(fn: () => void): void {
    this.#immediates.push(fn)
  }

  nextTurn(fn: () => void, delay: number): void {
    this.setTimeout(fn, delay)
  }

  settle(): Promise<void> {
    return this.advance(0)
  }

  async advance(milliseconds: number): Promise<void> {
    if (!(milliseconds >= 0)) {
      throw new RangeError(`Expected a number of ms of at least 0, got ${milliseconds}`)
    }
    const end = this.#now + milliseconds
    await promisesHaveRun()
    for (let next = this.#next(end); next; next = this.#next(end)) {
      runNeutral(next)
      await promisesHaveRun()
    }
    this.#now = end
  }

  [Symbol.dispose](): void {
    this.#installed[Symbol.dispose]()
    runNeutral(() => this.#handOver())
  }

  /** Somebody may wait for what is left: it comes on the clock that counts now. */
  #handOver(): void {
    for (const fn of this.#immediates.splice(0)) clock.setImmediate(fn)
    for (let { first } = this.#timers; first; first = this.#timers.first) {
      this.#timers.remove(first)
      first.moveOn(Math.max(first.at - this.#now, 0))
    }
  }

  /** As in the event loop: timers that are due, then immediates, then time passes. */
  #next(end: number): (() => void) | undefined {
    const { first } = this.#timers
    if (first && first.at <= this.#now) return this.#take(first)
    const immediate = this.#immediates.shift()
    if (immediate) return immediate
    if (first === undefined || first.at > end) return undefined
    this.#now = first.at
    return this.#take(first)
  }

  #take(timer: ManualTimer): () => void {
    this.#timers.remove(timer)
    return timer.ring
  }
}

function isEarlier(a: ManualTimer, b: ManualTimer): boolean {
  return a.at === b.at ? a.order < b.order : a.at < b.at
}

function promisesHaveRun(): Promise<void> {
  return new Promise((resolve) => void afterThisTurn(resolve))
}
