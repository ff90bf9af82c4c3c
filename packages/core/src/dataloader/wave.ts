import { runNeutral } from '@heddle/context'

import type { Dispatcher } from './dispatcher.ts'

/**
 * What is loaded from one cache until the next dispatch. Keys that are remembered come back together with
 * those that are not, so that whoever waits for either goes on in the same turn, and what they load
 * next is one batch.
 */
export class Wave {
  /** The dispatch that will start it. */
  readonly dispatch: number
  /** The promise of the last key that has to be loaded. */
  newest: Promise<unknown> | undefined
  readonly #dispatcher: Dispatcher
  #landed: Promise<unknown> | undefined

  constructor(dispatcher: Dispatcher) {
    this.dispatch = dispatcher.dispatches
    this.#dispatcher = dispatcher
  }

  /** Ends as `promise` does, but not before this wave has been loaded. */
  join<T>(promise: Promise<T>): Promise<T> {
    return runNeutral(() => {
      this.#landed ??= new Promise<void>(this.#dispatcher.next)
        .then(() => this.newest)
        .catch(ignore)
      return this.#landed.then(() => promise)
    })
  }
}

function ignore(): void {
  // Its own caller is told.
}
