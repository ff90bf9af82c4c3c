/**
 * A real Jaeger shows for each of 200 requests where its time went, asked by both of its interfaces. It is
 * built by Go once; where there is no Go, this is left out and says so.
 */
import { setTimeout as sleep } from 'node:timers/promises'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { Cities } from '../support/cities.ts'
import { assertTraces } from '../support/rules.ts'
import {
  fromLegacy,
  fromOtlp,
  type LegacyTraces,
  type OtlpTraces,
  type Span,
} from '../support/spans.ts'
import { buildJaeger, NoJaegerError } from './build.ts'
import { Jaeger } from './jaeger.ts'

const REQUESTS = 200
/** ms that Jaeger has to store what it was sent. */
const PATIENCE = 60_000

const program = programOrReason()
if (program instanceof NoJaegerError) console.warn(`The Jaeger test is SKIPPED: ${program.message}`)

describe.skipIf(program instanceof NoJaegerError)('in Jaeger', () => {
  let jaeger: Jaeger
  beforeAll(async () => {
    jaeger = await Jaeger.start(String(program))
  })
  afterAll(() => jaeger.stop())

  describe.each(['node', 'bun'] as const)('the cities example on %s', (runtime) => {
    let requestIds: readonly string[]
    let legacy: LegacyTraces
    beforeAll(async () => {
      const service = `cities-${runtime}`
      const cities = await Cities.start(runtime, {
        OTEL_EXPORTER_OTLP_ENDPOINT: jaeger.otlp,
        OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
        OTEL_SERVICE_NAME: service,
      })
      requestIds = await cities.request(REQUESTS, runtime)
      await cities.stop()
      legacy = await storedTraces(service)
    })

    it('has the story of each request by /api/traces', () => {
      const requests = assertTraces(fromLegacy(legacy), requestIds)
      expect(requests).toHaveLength(REQUESTS)
    })

    it('has the same by /api/v3/traces', async () => {
      const spans: Span[] = []
      for (const traceId of new Set(fromLegacy(legacy).map((span) => span.traceId))) {
        const { result } = await get<{ readonly result: OtlpTraces }>(`/api/v3/traces/${traceId}`)
        spans.push(...fromOtlp(result))
      }
      expect(assertTraces(spans, requestIds)).toHaveLength(REQUESTS)
    })
  })

  /** All traces of the service, once there are no more of them than a moment ago. */
  async function storedTraces(service: string): Promise<LegacyTraces> {
    const end = performance.now() + PATIENCE
    let before = -1
    for (;;) {
      const traces = await get<LegacyTraces>(`/api/traces?service=${service}&limit=2000`)
      const count = traces.data.length
      if ((count >= REQUESTS && count === before) || performance.now() > end) return traces
      before = count
      await sleep(250)
    }
  }

  async function get<T>(path: string): Promise<T> {
    const answer = await fetch(`${jaeger.query}${path}`)
    if (!answer.ok) throw new Error(`Jaeger answered ${answer.status} to ${path}`)
    return (await answer.json()) as T
  }
})

/** Where there is Go, a build that fails fails the test. */
function programOrReason(): string | NoJaegerError {
  try {
    return buildJaeger({ onBuild: console.log })
  } catch (error) {
    if (error instanceof NoJaegerError) return error
    throw error
  }
}
