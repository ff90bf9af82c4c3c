import { runNeutral } from '@heddle/context'
import { warn } from '@heddle/context/engine'

import { afterPromises, type Schedule } from '../scheduler.ts'

/** Asks the loader's schedule once for everything that is to happen at the next dispatch. */
export class Dispatcher {
  /** How many there have been: what has the same number starts together. */
  dispatches = 0
  readonly #name: string
  readonly #schedule: Schedule
  #waiting: (() => void)[] | undefined

  /** @param schedule - the user's own, which may do anything */
  constructor(name: string, schedule: Schedule | undefined) {
    this.#name = name
    this.#schedule = schedule ?? afterPromises
  }

  /** Calls `fn` at the next dispatch, on neutral ground, and must be called there. */
  readonly next = (fn: () => void): void => {
    if (this.#waiting) this.#waiting.push(fn)
    else this.#ask((this.#waiting = [fn]))
  }

  /** The same, from any context. */
  atNext(fn: () => void): void {
    if (this.#waiting) this.#waiting.push(fn)
    else runNeutral(() => this.next(fn))
  }

  #ask(waiting: readonly (() => void)[]): void {
    // Once, however often it is called.
    const dispatch = (): void => {
      if (this.#waiting === waiting) this.#dispatch(waiting)
    }
    const instead = (error: unknown): void => {
      warn('CALLBACK_FAILED', this.#name, `\`batchScheduleFn\` of \`${this.#name}\` threw`, error)
      afterPromises(dispatch)
    }
    let isAsking = true
    // At once would be inside of `load`, before its key is remembered.
    const callback = (): void => (isAsking ? afterPromises(dispatch) : dispatch())
    try {
      const asked: unknown = this.#schedule(callback)
      if (asked instanceof Promise) asked.catch(instead)
    } catch (error) {
      instead(error)
    }
    isAsking = false
  }

  #dispatch(waiting: readonly (() => void)[]): void {
    this.dispatches += 1
    this.#waiting = undefined
    // Whoever calls back may be a caller, in its own context.
    runNeutral(() => {
      for (const fn of waiting) fn()
    })
  }
}
