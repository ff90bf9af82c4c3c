// #region telemetry
import { HeddleInstrumentation, LinksSampler } from '@heddle/otel'
import { NodeSDK } from '@opentelemetry/sdk-node'
import { ParentBasedSampler, TraceIdRatioBasedSampler } from '@opentelemetry/sdk-trace'

const tenth = new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(0.1) })
export const sdk = new NodeSDK({
  serviceName: 'my-service',
  sampler: new LinksSampler(tenth), // and the batches of the requests that are sampled
  instrumentations: [new HeddleInstrumentation()],
})
sdk.start()
// #endregion
