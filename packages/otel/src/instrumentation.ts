import type { MeterProvider, TracerProvider } from '@opentelemetry/api'

import { instrumentBatchers } from './instrument-batchers.ts'
import { assertConfig, type InstrumentBatchersOptions } from './options.ts'
import { name, version } from './version.ts'

export interface HeddleInstrumentationConfig extends InstrumentBatchersOptions {
  /** Whether it is on from the start. @defaultValue `true` */
  readonly enabled?: boolean
}

/**
 * Records spans and metrics for every batcher of the process: {@link instrumentBatchers} in the shape of
 * `Instrumentation` of `@opentelemetry/instrumentation`.
 *
 * @example
 * ```ts
 * import { NodeSDK } from '@opentelemetry/sdk-node'
 *
 * new NodeSDK({ instrumentations: [new HeddleInstrumentation()] }).start()
 * ```
 */
export class HeddleInstrumentation {
  readonly instrumentationName: string = name
  readonly instrumentationVersion: string = version
  #config: HeddleInstrumentationConfig = {}
  #tracerProvider: TracerProvider | undefined
  #meterProvider: MeterProvider | undefined
  #on: Disposable | undefined

  /** @throws TypeError for an option that is not as described */
  constructor(config: HeddleInstrumentationConfig = {}) {
    this.setConfig(config)
    // An SDK enables only what says that it is not: everything else is to be on already.
    if (this.#config.enabled === true) this.enable()
  }

  /** Afresh, if it is on already, so that what has changed holds. */
  enable(): void {
    const {
      enabled: _,
      tracerProvider = this.#tracerProvider,
      meterProvider = this.#meterProvider,
      ...options
    } = this.#config
    const before = this.#on
    this.#on = instrumentBatchers({ ...options, tracerProvider, meterProvider })
    before?.[Symbol.dispose]()
  }

  disable(): void {
    this.#on?.[Symbol.dispose]()
    this.#on = undefined
  }

  /** Holds unless the config names a provider. */
  setTracerProvider(tracerProvider: TracerProvider): void {
    this.#tracerProvider = tracerProvider
    if (this.#on) this.enable()
  }

  /** Holds unless the config names a provider. */
  setMeterProvider(meterProvider: MeterProvider): void {
    this.#meterProvider = meterProvider
    if (this.#on) this.enable()
  }

  /** @throws TypeError for an option that is not as described */
  setConfig(config: HeddleInstrumentationConfig): void {
    assertConfig(config)
    this.#config = { enabled: true, ...config }
    if (this.#on) this.enable()
  }

  getConfig(): HeddleInstrumentationConfig {
    return this.#config
  }
}
