/**
 * A page that shows batchers at work.
 *
 * @packageDocumentation
 */
export { inspector } from './inspector.ts'
export type { InspectorOptions } from './options.ts'
