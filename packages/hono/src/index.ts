/**
 * Heddle for Hono apps.
 *
 * @packageDocumentation
 */
export { heddle, type HeddleVariables } from './middleware.ts'
export type { HeddleOptions, RequestIdOptions } from './options.ts'
export type { Problem } from './problems.ts'
export {
  type BatcherHealth,
  type Health,
  type HealthOptions,
  heddleHealth,
  type ObservedBatcher,
} from './operations/health.ts'
export type { ClosableServer } from './operations/closing.ts'
export {
  type ClosableBatcher,
  type ClosableTelemetry,
  gracefulShutdown,
  type Shutdown,
  type ShutdownOptions,
} from './operations/shutdown.ts'
export { type Batched, batched, type Streams, type Submits } from './routes/batched.ts'
export {
  type BatchRoute,
  batchRoute,
  type BatchRouteOptions,
  type BatchRouteRun,
  type BatchRouteTarget,
} from './routes/batch-route.ts'
export type { InvalidInput, InvalidPart } from './routes/invalid-input.ts'
export type { BatchResponse, DeadlineProblem, OverloadProblem } from './routes/types.ts'
export { streamBatched, type StreamResponse } from './routes/stream-batched.ts'
export type {
  EventStreamOptions,
  LineStreamOptions,
  PlainStreamOptions,
  StreamCallbacks,
  StreamOptions,
  StreamTotals,
} from './routes/stream-options.ts'
export { scopeOf } from './scope-of.ts'
