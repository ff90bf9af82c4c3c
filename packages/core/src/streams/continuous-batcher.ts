import type { BatchView } from '../batch-view.ts'
import { Engine } from '../engine.ts'
import { resolveOptions } from '../options.ts'
import type { ContinuousBatcherOptions } from './continuous-options.ts'
import { Host } from './host.ts'
import { assertContinuousOptions } from './rules.ts'
import { StreamHandle } from './stream-handle.ts'
import type { StreamBatcher } from './types.ts'

/**
 * Makes a batcher whose items join and leave between the steps of a common work, as tokens are generated:
 * whoever is done makes room at once, and nobody waits for the longest of a batch.
 *
 * Yu et al. 2022, Orca (OSDI), call it iteration-level scheduling; vLLM calls it continuous batching.
 *
 * @throws BatcherError `INVALID_OPTION`
 * @example
 * ```ts
 * const words = createContinuousBatcher({
 *   name: 'words',
 *   start: (prompt: string) => model.open(prompt),
 *   step: async (active) => {
 *     const tokens = await model.next(active.map(({ state }) => state))
 *     return tokens.map((token) => (token.isLast ? { done: true } : { chunk: token.text }))
 *   },
 *   end: (session) => session.free(),
 * })
 * for await (const word of words.stream('Once upon a time')) console.log(word)
 * ```
 */
export function createContinuousBatcher<I, S, C>(
  options: ContinuousBatcherOptions<I, S, C>,
): StreamBatcher<I, C> {
  const {
    maxActive = 64,
    maxBuffered = 16,
    maxStall = 30_000,
    start,
    step,
    end,
    ...admission
  } = options
  const { name, strictStores } = admission
  assertContinuousOptions(name, { ...options, maxActive, maxBuffered, maxStall })
  const host = new Host<I, S, C>({ name, strictStores, maxBuffered, maxStall, start, step, end })
  // What takes items in one by one; each has a slot for as long as it is active.
  const resolved = resolveOptions<I, undefined>({
    ...admission,
    maxBatchSize: 1,
    maxConcurrency: maxActive,
    run: (_inputs, batch) => host.take(batch as BatchView<I, undefined>),
  })
  return new StreamHandle(new Engine(resolved))
}
