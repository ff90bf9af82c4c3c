/**
 * Heddle for Hono apps.
 *
 * @packageDocumentation
 */
export { heddle, type HeddleVariables, scopeOf } from './middleware.ts'
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
  gracefulShutdown,
  type Shutdown,
  type ShutdownOptions,
} from './operations/shutdown.ts'
