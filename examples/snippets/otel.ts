import assert from 'node:assert/strict'

// #region otel
import { HeddleInstrumentation } from '@heddle/otel'
import { NodeSDK } from '@opentelemetry/sdk-node'

const sdk = new NodeSDK({
  serviceName: 'my-service',
  instrumentations: [new HeddleInstrumentation()],
})
// #endregion

process.env['OTEL_TRACES_EXPORTER'] = 'none'
process.env['OTEL_METRICS_EXPORTER'] = 'none'
process.env['OTEL_LOGS_EXPORTER'] = 'none'
sdk.start()
assert.equal(await sdk.shutdown(), undefined)
