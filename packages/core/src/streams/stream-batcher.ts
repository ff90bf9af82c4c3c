import type { BatchView } from '../batch-view.ts'
import { Engine } from '../engine.ts'
import { resolveOptions } from '../options.ts'
import { Driver } from './driver.ts'
import type { StreamBatcherOptions } from './options.ts'
import { assertStreamOptions } from './rules.ts'
import { StreamHandle } from './stream-handle.ts'
import type { StreamBatcher } from './types.ts'

/**
 * Makes a batcher of streams: one call of the batch function yields the chunks of many items.
 *
 * @throws BatcherError `INVALID_OPTION`
 * @example
 * ```ts
 * const words = createStreamBatcher({
 *   name: 'words',
 *   async *run(prompts: readonly string[]) {
 *     for await (const [index, word] of model.generate(prompts)) yield [index, word]
 *   },
 * })
 * for await (const word of words.stream('Once upon a time')) console.log(word)
 * ```
 */
export function createStreamBatcher<I, C>({
  maxBuffered = 16,
  maxStall = 1000,
  run,
  ...options
}: StreamBatcherOptions<I, C>): StreamBatcher<I, C> {
  const resolved = resolveOptions<I, undefined>({
    ...options,
    // Checked as it is, and called in the place of what the engine calls.
    run: (typeof run === 'function' ? drive : run) as never,
  })
  const { name } = resolved
  assertStreamOptions(name, { ...options, maxBuffered, maxStall })
  return new StreamHandle(new Engine(resolved))

  function drive(
    inputs: readonly I[],
    batch: BatchView<I, undefined>,
  ): Promise<readonly undefined[]> {
    const driver = new Driver<I, C>(batch, { name, maxBuffered, maxStall })
    return driver.run(() => run(inputs, batch))
  }
}
