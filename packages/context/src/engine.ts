/**
 * For packages that finish the work of requests later, batching engines above all, and for protocol
 * adapters. Applications do not need it, and it may change in a minor version.
 *
 * @packageDocumentation
 */
export { listenToAbort, unlistenToAbort } from './abort-hub.ts'
export { exposeMembers, rootOf, rootsOfMembers, valuesOfMembers } from './batch-members.ts'
export { engineOf } from './batch-scope.ts'
export { setTracePropagation } from './carrier.ts'
export { type Clock, clock, installClock, platform, realigned, type Timer } from './clock.ts'
export { describe } from './describe.ts'
export { ErrorBoundary } from './error-boundary.ts'
export { type LeakGuard, leakGuard } from './leaks.ts'
export { mode } from './mode.ts'
export { contextsAreResources, enterResource } from './neutral.ts'
export {
  aBoolean,
  aFunction,
  anAbortSignal,
  aPositiveTime,
  assertOption,
  assertOptions,
  aText,
  oneOf,
  type OptionRule,
  type OptionRules,
  shown,
} from './options.ts'
export { identityOf, partitionLabel, partitionOf } from './partition.ts'
export type { TracePropagation } from './registry.ts'
export { handleRejection } from './rejections.ts'
export { relay, type RelayOptions } from './relay.ts'
export { asError, RequestScope } from './request-scope.ts'
export { runIn } from './run.ts'
export { baseOf } from './scope.ts'
export { SourceHold } from './source-hold.ts'
export { installStoreGuard } from './own-stores/store-guard.ts'
export { strictStores } from './own-stores/strict-stores.ts'
export { adaptedFailure, Task } from './task.ts'
export { areSameValues, isAsTaken, valueFor, type Values, visibleValues } from './visible-values.ts'
export { callSite, isDevelopment, notice, warn } from './warning.ts'
