import type { Engine } from './engine.ts'
import type { BatcherError } from './errors.ts'
import { assertCloseOptions } from './rules.ts'
import type { BatcherStats, CloseOptions } from './types.ts'

/** What every kind of batcher tells of its engine, and how it ends. */
export class Handle implements AsyncDisposable {
  readonly #engine: Engine<any, any>
  #closing: Promise<void> | undefined

  constructor(engine: Engine<any, any>) {
    this.#engine = engine
  }

  get name(): string {
    return this.#engine.options.name
  }

  stats(): BatcherStats {
    return this.#engine.stats()
  }

  drain(): Promise<void> {
    return this.#engine.drain()
  }

  close(options: CloseOptions = {}): Promise<void> {
    try {
      assertCloseOptions(this.name, options)
    } catch (error) {
      return this.#engine.refuse(error as BatcherError)
    }
    this.#closing ??= this.#engine.close()
    const { timeout } = options
    return timeout === undefined ? this.#closing : this.#engine.closeWithin(timeout, this.#closing)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
