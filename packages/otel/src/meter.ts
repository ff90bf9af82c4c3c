import { createNoopMeter, type Meter, type MeterProvider, metrics } from '@opentelemetry/api'

import { name, version } from './version.ts'

const Noop = createNoopMeter().constructor

/**
 * The meter of the given or the global provider; `undefined` without an SDK. To be looked up at each use,
 * since instruments that were made before an SDK registers record nothing for ever.
 */
export function tryMeter(provider: MeterProvider = metrics.getMeterProvider()): Meter | undefined {
  if (provider === lastProvider) return lastMeter
  const meter = provider.getMeter(name, version)
  lastProvider = provider
  lastMeter = meter instanceof Noop ? undefined : meter
  return lastMeter
}

let lastProvider: MeterProvider | undefined
let lastMeter: Meter | undefined
