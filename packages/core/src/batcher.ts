import { tryCurrent } from '@heddle/context'

import { Engine } from './engine.ts'
import { Handle } from './handle.ts'
import { type BatcherOptions, type Configuration, resolveOptions } from './options.ts'
import type { Internals } from './scheduler.ts'
import { submitAll } from './submit-all.ts'
import type { Batcher, SubmitOptions } from './types.ts'

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

class EngineBatcher<I, O> extends Handle implements Batcher<I, O> {
  readonly #engine: Engine<I, O>

  constructor(engine: Engine<I, O>) {
    super(engine)
    this.#engine = engine
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
}
