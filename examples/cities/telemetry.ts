import { HeddleInstrumentation } from '@heddle/otel'
import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { NodeSDK } from '@opentelemetry/sdk-node'

import type { Database } from './database.ts'

/** Sends traces to `OTEL_EXPORTER_OTLP_ENDPOINT`; resolves once what is left of them has been sent. */
export function startTelemetry(): { stop(): Promise<void> } {
  // Jaeger takes traces alone.
  process.env.OTEL_METRICS_EXPORTER ??= 'none'
  process.env.OTEL_LOGS_EXPORTER ??= 'none'
  process.env.OTEL_SERVICE_NAME ??= 'cities'
  const sdk = new NodeSDK({ instrumentations: [new HeddleInstrumentation()] })
  sdk.start()
  return { stop: () => sdk.shutdown() }
}

/** Puts a span around each query: below a request's span, or below the batch's that sends it. */
export function traceQueries(database: Database): Database {
  const tracer = trace.getTracer('cities')
  return {
    get queries() {
      return database.queries
    },
    query: database.query,
    queryAs<Row>(tenant: string, sql: string, parameters: readonly unknown[]): Promise<Row[]> {
      const options = {
        kind: SpanKind.CLIENT,
        attributes: { 'db.system.name': 'postgresql', 'db.query.text': sql },
      }
      return tracer.startActiveSpan('SELECT', options, async (span) => {
        try {
          return await database.queryAs<Row>(tenant, sql, parameters)
        } catch (error) {
          span.setStatus({ code: SpanStatusCode.ERROR, message: String(error) })
          throw error
        } finally {
          span.end()
        }
      })
    },
    close: () => database.close(),
  }
}
