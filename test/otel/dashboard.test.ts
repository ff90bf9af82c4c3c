/** The dashboard and the queries of the document ask for metrics that there are. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { createBatcher } from '@heddle/core'
import { instrumentBatchers } from '@heddle/otel'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { echo, turn } from '../support/crank.ts'
import { turnOff } from './recording.ts'

const docs = join(import.meta.dirname, '../../docs')

beforeEach(turnOff)
afterEach(turnOff)

/** As Prometheus calls them, without what it adds for units and kinds. */
async function existing(): Promise<Set<string>> {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 1e6 })
  const meterProvider = new MeterProvider({ readers: [reader] })
  using _ = instrumentBatchers({ meterProvider })
  await createBatcher({ name: 'any', run: echo<number>().run }).submit(1)
  await turn()
  await meterProvider.forceFlush()
  const names = exporter
    .getMetrics()
    .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics))
    .map(({ descriptor }) => descriptor.name.replaceAll('.', '_'))
  await meterProvider.shutdown()
  return new Set(names)
}

const ATTRIBUTES = new Set(['heddle_batcher_name', 'heddle_batch_reason'])

function asked(text: string): string[] {
  const names = text.match(/heddle(?:_[a-z]+)+/g) ?? []
  return [...new Set(names)]
    .filter((name) => !ATTRIBUTES.has(name))
    .map((name) => name.replace(/_(?:bucket|sum|count|total)$/, ''))
}

describe('the metrics that are asked for', () => {
  it.each(['grafana.json', 'observability.md'])('in docs/%s exist', async (file) => {
    const names = asked(readFileSync(join(docs, file), 'utf8'))
    const known = await existing()
    expect(names.length).toBeGreaterThan(3)
    expect(names.filter((name) => !known.has(name))).toEqual([])
  })

  it('are all in the table of the document', async () => {
    const text = readFileSync(join(docs, 'observability.md'), 'utf8').replaceAll('.', '_')
    const known = [...(await existing())]
    expect(known).toHaveLength(8)
    expect(known.filter((name) => !text.includes(`\`${name}\``))).toEqual([])
  })
})
