import { metrics } from '@opentelemetry/api'
import {
  AggregationTemporality,
  type Histogram,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'

export interface Point {
  readonly attributes: Readonly<Record<string, unknown>>
  readonly value: unknown
}

/** An SDK whose metrics are read when asked for. */
export class Measuring implements AsyncDisposable {
  readonly #exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  readonly provider: MeterProvider = new MeterProvider({
    readers: [
      new PeriodicExportingMetricReader({ exporter: this.#exporter, exportIntervalMillis: 1e6 }),
    ],
  })

  /** The points of the metric for a batcher, each with what else it is told apart by. */
  async read(name: string, batcher: string): Promise<readonly Point[]> {
    this.#exporter.reset()
    await this.provider.forceFlush()
    return this.#exporter
      .getMetrics()
      .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics))
      .filter(({ descriptor }) => descriptor.name === name)
      .flatMap(({ dataPoints }) => dataPoints as readonly Point[])
      .filter(({ attributes }) => attributes['heddle.batcher.name'] === batcher)
  }

  async histogram(name: string, batcher: string): Promise<Histogram> {
    const [point] = await this.read(name, batcher)
    return point?.value as Histogram
  }

  async [Symbol.asyncDispose](): Promise<void> {
    metrics.disable()
    await this.provider.shutdown()
  }
}
