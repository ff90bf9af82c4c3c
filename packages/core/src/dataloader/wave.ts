import { runNeutral } from '@heddle/context'

import type { Item } from '../item.ts'
import type { Dispatcher } from './dispatcher.ts'
import { follow, type Retry } from './follow.ts'
import { asPromise } from './origins.ts'

/**
 * What is loaded from one cache until the next dispatch. Keys that are remembered come back together with
 * those that are not, so that whoever waits for either goes on in the same turn, and what they load
 * next is one batch.
 */
export class Wave {
  /** The dispatch that ends it. */
  readonly dispatch: number
  /** The last key that has to be loaded; let go of at the dispatch, since it leads to its caller. */
  newest: Item<any, any> | undefined
  /** Each lets a caller go on that asked for a remembered key. */
  #joined: (() => void)[] | undefined

  constructor(dispatcher: Dispatcher) {
    this.dispatch = dispatcher.dispatches
    dispatcher.atNext(() => this.#close())
  }

  /** Ends as `promise` does, but not before this wave has been loaded. */
  join<T>(promise: Promise<T>, retry: Retry<T> | undefined): Promise<T> {
    // A caller may keep it, so it is made on neutral ground as those of the engine are.
    const target = runNeutral(() => Promise.withResolvers<T>())
    const start = (): void => follow(asPromise(promise), target, retry)
    ;(this.#joined ??= []).push(start)
    return target.promise
  }

  #close(): void {
    const { newest } = this
    this.newest = undefined
    if (this.#joined === undefined) return
    // Its promise is not looked at: its caller is to hear of a rejection, or nobody.
    if (newest === undefined || newest.settled) this.#land()
    else newest.watch(() => this.#land())
  }

  /** Called by whoever has ended the load, in any context. */
  #land(): void {
    const joined = this.#joined ?? []
    this.#joined = undefined
    runNeutral(() => {
      for (const start of joined) start()
    })
  }
}
