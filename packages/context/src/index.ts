/**
 * Request scopes that survive batching.
 *
 * @packageDocumentation
 */
export { type BatchScope, type BatchScopeOptions, openBatchScope } from './batch-scope.ts'
export { ContextError, type ContextErrorCode } from './errors.ts'
export { createKey } from './key.ts'
export { runNeutral } from './neutral.ts'
export { current, run, runRequest, tryCurrent } from './run.ts'
export { Snapshot } from './snapshot.ts'
export type {
  BatchRule,
  ContextEntry,
  ContextKey,
  ContextKeyOptions,
  DefaultedContextKey,
  RequestOptions,
  Scope,
} from './types.ts'
