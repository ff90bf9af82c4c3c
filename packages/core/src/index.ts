/**
 * A batching engine that keeps the context of every caller apart.
 *
 * @packageDocumentation
 */
export { createBatcher } from './batcher.ts'
export { BatcherError, type BatcherErrorCode, brandAs, isBatcherError } from './errors.ts'
export {
  type BatcherHooks,
  type BatchInfo,
  instrument,
  type SettledItem,
  type StreamProgress,
  type SubmittedItem,
} from './instrument.ts'
export type { BatcherOptions, Configuration } from './options.ts'
export type { Priority } from './priority.ts'
export { type BatcherLevels, batcherLevels } from './roster.ts'
export { createContinuousBatcher } from './streams/continuous-batcher.ts'
export type {
  Active,
  ActiveItem,
  ContinuousBatcherOptions,
  Step,
  StepResult,
} from './streams/continuous-options.ts'
export { type Chunk, END, type StreamBatcherOptions } from './streams/options.ts'
export { createStreamBatcher } from './streams/stream-batcher.ts'
export type { StreamBatcher } from './streams/types.ts'
export type {
  Batch,
  Batcher,
  BatcherStats,
  BatchItem,
  CloseOptions,
  ItemTiming,
  Quantiles,
  StartReason,
  SubmitOptions,
} from './types.ts'
