/**
 * Request scopes that survive batching.
 *
 * @packageDocumentation
 */
export { adopt } from './own-stores/adopt.ts'
export { type BatchScope, type BatchScopeOptions, openBatchScope } from './batch-scope.ts'
export type { Member } from './batch-members.ts'
export { bindAsyncIterable, bindReadableStream } from './bind.ts'
export { runCarrier, toCarrier } from './carrier.ts'
export { detach, type DetachOptions } from './detach.ts'
export { ContextError, type ContextErrorCode } from './errors.ts'
export { createKey } from './key.ts'
export { onAbort, wrapListener } from './listen.ts'
export { runNeutral } from './neutral.ts'
export { current, run, runRequest, tryCurrent } from './run.ts'
export { Snapshot } from './snapshot.ts'
export { type SnapshotCount, snapshotCount } from './snapshot-count.ts'
export type { ForeignStore } from './registry.ts'
export { watchStore, type WatchStoreOptions } from './own-stores/watch-store.ts'
export type {
  AdoptableStore,
  AdoptedKey,
  AdoptOptions,
  BatchRule,
  Carrier,
  Carry,
  ContextEntry,
  ContextKey,
  ContextKeyOptions,
  DefaultedContextKey,
  RequestOptions,
  Scope,
} from './types.ts'
