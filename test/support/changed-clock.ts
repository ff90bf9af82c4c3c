import { type Clock, clock, installClock } from '@heddle/context/engine'

/** Puts a clock in the place of the one that is installed, which does all that the change does not. */
export function changedClock(change: (installed: Clock) => Partial<Clock>): Disposable {
  const { installed } = clock
  return installClock({
    now: () => installed.now(),
    setTimeout: (fn, delay) => installed.setTimeout(fn, delay),
    clearTimeout: (timer) => installed.clearTimeout(timer),
    setImmediate: (fn) => installed.setImmediate(fn),
    nextTurn: (fn, delay) => installed.nextTurn(fn, delay),
    ...change(installed),
  })
}

/** Moves the clock while a function works, which a virtual clock alone cannot. */
export function workTime(): Disposable & { work(milliseconds: number): void } {
  let worked = 0
  const installed = changedClock((before) => ({ now: () => before.now() + worked }))
  return {
    work: (milliseconds) => void (worked += milliseconds),
    [Symbol.dispose]: () => installed[Symbol.dispose](),
  }
}
