/**
 * Heddle for Hono apps.
 *
 * @packageDocumentation
 */
export { heddle, type HeddleVariables, scopeOf } from './middleware.ts'
export type { HeddleOptions, RequestIdOptions } from './options.ts'
export type { Problem } from './problems.ts'
