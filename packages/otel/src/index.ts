/**
 * OpenTelemetry spans and metrics for batches.
 *
 * @packageDocumentation
 */
export { instrumentBatchers } from './instrument-batchers.ts'
export { HeddleInstrumentation, type HeddleInstrumentationConfig } from './instrumentation.ts'
export { LinksSampler, type Sampler } from './links-sampler.ts'
export type { InstrumentBatchersOptions } from './options.ts'
export { type Instrumentation, tracerSource } from './tracer.ts'
