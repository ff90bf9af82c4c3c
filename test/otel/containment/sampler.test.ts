import { createBatcher } from '@heddle/core'
import { instrumentBatchers, LinksSampler } from '@heddle/otel'
import { type Context, ROOT_CONTEXT, SpanKind } from '@opentelemetry/api'
import { type Sampler, type SpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { turn } from '../../support/crank.ts'
import { watchProcess } from '../../support/faults.ts'
import { turnOff } from '../recording.ts'
import { outcomes } from './outcomes.ts'
import { breaks } from './sabotage.ts'

beforeEach(turnOff)
afterEach(turnOff)

describe('an SDK', () => {
  const boom = (): never => {
    throw new Error('telemetry is broken')
  }
  const idle: SpanProcessor = {
    onStart() {},
    onEnd() {},
    forceFlush: () => Promise.resolve(),
    shutdown: () => Promise.resolve(),
  }
  const sampler: Sampler = { shouldSample: boom, toString: boom }
  const sdks: readonly [string, ConstructorParameters<typeof TracerProvider>[0]][] = [
    ['a span processor whose onStart throws', { spanProcessors: [{ ...idle, onStart: boom }] }],
    ['a span processor whose onEnd throws', { spanProcessors: [{ ...idle, onEnd: boom }] }],
    ['a sampler that throws', { sampler, spanProcessors: [idle] }],
    ['a LinksSampler around one', { sampler: new LinksSampler(sampler), spanProcessors: [idle] }],
  ]

  it.each(sdks)('with %s changes nothing for anybody', async (_name, options) => {
    const expected = await outcomes()
    using watch = watchProcess()
    using _on = instrumentBatchers({ tracerProvider: new TracerProvider(options) })
    expect(await outcomes()).toEqual(expected)
    await turn()
    expect(watch.uncaught).toEqual([])
    expect(watch.culprits.length).toBeGreaterThan(0)
    expect(watch.culprits).toEqual([...new Set(watch.culprits)])
  })

  it('with a span processor whose onEnd throws has both halves of an item and the batch', async () => {
    const started: string[] = []
    const tracerProvider = new TracerProvider({
      spanProcessors: [{ ...idle, onStart: ({ name }) => void started.push(name), onEnd: boom }],
    })
    using _on = instrumentBatchers({ tracerProvider })
    const cities = createBatcher<number, number>({ name: 'cities', run: (ids) => ids })
    await Promise.all([cities.submit(1), cities.submit(2)])
    expect(started.toSorted()).toEqual([
      'batch cities',
      'execute cities',
      'execute cities',
      'wait cities',
      'wait cities',
    ])
  })
})

describe('a LinksSampler', () => {
  const linked = { context: { traceId: '1'.repeat(32), spanId: '1'.repeat(16), traceFlags: 1 } }
  const ask = (
    shouldSample: () => unknown,
    links: object[],
    asked: Context = ROOT_CONTEXT,
  ): unknown =>
    new LinksSampler({ shouldSample } as Sampler).shouldSample(
      asked,
      '2'.repeat(32),
      'batch',
      SpanKind.INTERNAL,
      {},
      links as never,
    )

  it.each(breaks)(
    'around one that %s samples what has sampled links, and nothing else',
    (_, fail) => {
      using watch = watchProcess()
      expect(ask(fail, [])).toEqual({ decision: 0 })
      expect(ask(fail, [linked])).toEqual({ decision: 2 })
      expect(watch.culprits.length).toBeLessThanOrEqual(2)
    },
  )

  it('leaves a span with links that cannot be read to the other sampler', () => {
    expect(ask(() => ({ decision: 1 }), [{}])).toEqual({ decision: 1 })
  })

  it('has a description where the other has none', () => {
    const toString = (): never => {
      throw new Error('no description')
    }
    const sampler = new LinksSampler({ shouldSample: () => ({ decision: 0 }), toString })
    expect(String(sampler)).toBe('LinksSampler{?}')
  })
})
