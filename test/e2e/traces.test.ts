/** The rules of test:jaeger, held against what a server sends, where no Jaeger is at hand. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { Cities } from './support/cities.ts'
import { Collector } from './support/collector.ts'
import { assertTraces } from './support/rules.ts'

const runtime = process.versions['bun'] ? 'bun' : 'node'

describe('the cities example', () => {
  let collector: Collector
  beforeAll(async () => {
    collector = await Collector.start()
  })
  afterAll(() => collector.stop())

  it('shows for each request its wait, its execution and its batch', async () => {
    await using cities = await Cities.start(runtime, collector.env)
    const requestIds = await cities.request(100, 'r')
    await cities.stop()
    const requests = assertTraces(collector.spans, requestIds)
    expect(requests).toHaveLength(100)
    expect(new Set(requests.map(({ batch }) => batch.spanId)).size).toBeLessThan(100)
  })
})
