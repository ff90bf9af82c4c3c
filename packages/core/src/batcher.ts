import { tryCurrent } from '@heddle/context'

import { Engine } from './engine.ts'
import { type BatcherOptions, type Configuration, resolveOptions } from './options.ts'
import { assertCloseOptions } from './rules.ts'
import type { Internals } from './scheduler.ts'
import { submitAll } from './submit-all.ts'
import type { Batcher, BatcherStats, CloseOptions, SubmitOptions } from './types.ts'

/**
 * Makes a batcher. Make it once, at module level: it lives as long as the app.
 *
 * @throws BatcherError `INVALID_OPTION`
 * @example
 * ```ts
 * const users = createBatcher({
 *   name: 'users',
 *   run: (ids: readonly number[]) => findUsers(ids), // one query, one result per id
 * })
 * const user = await users.submit(1)
 * ```
 */
export function createBatcher<I, O>(options: BatcherOptions<I, O>): Batcher<I, O> {
  return createEngineBatcher(options, {})
}

/** For this package's own batchers, which are scheduled in their own way. */
export function createEngineBatcher<I, O>(
  options: BatcherOptions<I, O>,
  internals: Internals,
): Batcher<I, O> {
  return new EngineBatcher(new Engine(resolveOptions(options), internals))
}

class EngineBatcher<I, O> implements Batcher<I, O> {
  readonly #engine: Engine<I, O>
  #closing: Promise<void> | undefined

  constructor(engine: Engine<I, O>) {
    this.#engine = engine
  }

  get name(): string {
    return this.#engine.options.name
  }

  submit(input: I, options?: SubmitOptions): Promise<O> {
    return this.#engine.submit(input, options)
  }

  submitAll(
    inputs: Iterable<I> | AsyncIterable<I>,
    options?: SubmitOptions,
  ): Promise<PromiseSettledResult<O>[]> {
    const scope = tryCurrent()
    const hasEnded = (): boolean =>
      options?.signal?.aborted === true || scope?.signal.aborted === true
    return submitAll(this.#engine, inputs, options, hasEnded)
  }

  configure(patch: Configuration): void {
    this.#engine.configure(patch)
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
      return Promise.reject(error)
    }
    this.#closing ??= this.#engine.close()
    const { timeout } = options
    return timeout === undefined ? this.#closing : this.#engine.closeWithin(timeout, this.#closing)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
