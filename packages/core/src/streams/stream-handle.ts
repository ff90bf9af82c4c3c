import type { Engine } from '../engine.ts'
import { Handle } from '../handle.ts'
import type { Item } from '../item.ts'
import type { SubmitOptions } from '../types.ts'
import { isExcused } from '../unobserved.ts'
import { Channel } from './channel.ts'
import type { StreamBatcher } from './types.ts'

const LEFT = 'The consumer has left'

/** What callers have of an engine whose items are streams: its batch function finds their channels. */
export class StreamHandle<I, C> extends Handle implements StreamBatcher<I, C> {
  readonly #engine: Engine<I, undefined>

  constructor(engine: Engine<I, undefined>) {
    super(engine)
    this.#engine = engine
  }

  stream(input: I, options?: SubmitOptions): AsyncIterableIterator<C, undefined> {
    const channel = new Channel<C>()
    const item = this.#engine.enqueue(input, options, channel)
    // The error of who leaves holds the functions on its stack, and a signal that is kept its error.
    let waiting: Item<I, undefined> | undefined = item
    channel.onLeave = () => {
      if (waiting) this.#engine.abandon(waiting, new DOMException(LEFT, 'AbortError'))
    }
    const { promise } = item
    promise.then(
      () => {
        waiting = undefined
        channel.end()
      },
      (error: unknown) => {
        waiting = undefined
        channel.fail(error, isExcused(promise))
      },
    )
    return channel
  }
}
