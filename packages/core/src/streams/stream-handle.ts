import type { Engine } from '../engine.ts'
import { Handle } from '../handle.ts'
import type { SubmitOptions } from '../types.ts'
import { Channel } from './channel.ts'
import type { StreamBatcher } from './types.ts'

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
    channel.onLeave = () => {
      this.#engine.abandon(item, new DOMException('The consumer has left', 'AbortError'))
    }
    item.promise.then(
      () => channel.end(),
      (error: unknown) => channel.fail(error),
    )
    return channel
  }
}
