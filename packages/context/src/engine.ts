/**
 * For packages that finish the work of requests later, batching engines above all, and for protocol
 * adapters. Applications do not need it, and it may change in a minor version.
 *
 * @packageDocumentation
 */
export { listenToAbort, unlistenToAbort } from './abort-hub.ts'
export { engineOf } from './batch-scope.ts'
export { setTracePropagation } from './carrier.ts'
export { type Clock, clock, installClock, platform, realigned, type Timer } from './clock.ts'
export { type LeakGuard, leakGuard } from './leaks.ts'
export { contextsAreResources, enterResource } from './neutral.ts'
export { partitionLabel, partitionOf } from './partition.ts'
export type { TracePropagation } from './registry.ts'
export { relay, type RelayOptions } from './relay.ts'
export { asError, RequestScope } from './request-scope.ts'
export { runIn } from './run.ts'
export { baseOf } from './scope.ts'
export { adaptedFailure, Task } from './task.ts'
export { callSite, isDevelopment, warn } from './warning.ts'
