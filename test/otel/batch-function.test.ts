import { createBatcher } from '@heddle/core'
import { instrumentBatchers } from '@heddle/otel'
import { context, propagation, ROOT_CONTEXT, type Span, trace } from '@opentelemetry/api'
import { afterEach, describe, expect, it } from 'vitest'

import { turn } from '../support/crank.ts'
import { idOf, inTraceOf, parentOf, record, type Recording } from './recording.ts'

afterEach(() => {
  context.disable()
  propagation.disable()
})

function tenantOf(active = context.active()): string | undefined {
  return propagation.getBaggage(active)?.getEntry('tenant')?.value
}

/** A request with a span and baggage of its own. */
function request<R>(
  recording: Recording,
  tenant: string,
  fn: (span: Span) => Promise<R>,
): Promise<R> {
  const baggage = propagation.createBaggage({ tenant: { value: tenant } })
  return context.with(propagation.setBaggage(ROOT_CONTEXT, baggage), () =>
    recording.request(`GET /${tenant}`, fn),
  )
}

describe('the batch function', () => {
  it('has the span of the batch active, and what it makes is its child', async () => {
    using recording = record()
    using _ = instrumentBatchers()
    const active: unknown[] = []
    const cities = createBatcher<string, string>({
      name: 'cities',
      async run(ids) {
        active.push(trace.getActiveSpan()?.spanContext().spanId)
        recording.tracer.startSpan('SELECT before').end()
        await new Promise((resolve) => setTimeout(resolve, 1))
        active.push(trace.getActiveSpan()?.spanContext().spanId)
        recording.tracer.startSpan('SELECT after').end()
        return ids
      },
    })
    await Promise.all(['a', 'b'].map((id) => request(recording, id, () => cities.submit(id))))
    await turn()
    const batch = recording.one('batch cities')
    const { spanId } = batch.spanContext()
    expect(active).toEqual([spanId, spanId])
    expect(parentOf(recording.one('SELECT before'))).toBe(idOf(batch))
    expect(parentOf(recording.one('SELECT after'))).toBe(idOf(batch))
  })

  it("sees nobody's baggage, but a member's where it enters its context", async () => {
    using recording = record()
    using _ = instrumentBatchers()
    const seen: unknown[] = []
    const cities = createBatcher<string, string>({
      name: 'cities',
      run(ids, { items }) {
        seen.push(propagation.getBaggage(context.active()))
        for (const item of items) {
          seen.push(item.run(() => tenantOf()))
          item.run(() => recording.tracer.startSpan(`for ${item.input}`).end())
        }
        seen.push(propagation.getBaggage(context.active()))
        return ids
      },
    })
    await Promise.all(['a', 'b'].map((id) => request(recording, id, () => cities.submit(id))))
    expect(seen).toEqual([undefined, 'a', 'b', undefined])
    expect(parentOf(recording.one('for b'))).toBe(idOf(recording.one('GET /b')))
  })

  it('gives its callers back their own span and baggage', async () => {
    using recording = record()
    using _ = instrumentBatchers()
    const cities = createBatcher<string, string>({ name: 'cities', run: (ids) => ids })
    const backs = await Promise.all(
      ['a', 'b', 'c'].map((id) =>
        request(recording, id, async (span) => {
          await cities.submit(id)
          recording.tracer.startSpan(`render ${id}`).end()
          return [trace.getActiveSpan() === span, tenantOf()]
        }),
      ),
    )
    expect(backs).toEqual([
      [true, 'a'],
      [true, 'b'],
      [true, 'c'],
    ])
    const server = recording.one('GET /b')
    expect(parentOf(inTraceOf(recording, server, 'render b'))).toBe(idOf(server))
  })

  it('that uses another batcher is traced as its caller', async () => {
    using recording = record()
    using _ = instrumentBatchers({ parent: 'none' })
    const inner = createBatcher<string, string>({ name: 'inner', run: (ids) => ids })
    const outer = createBatcher<string, string>({
      name: 'outer',
      run: (ids) => Promise.all(ids.map((id) => inner.submit(id))),
    })
    await Promise.all(['a', 'b'].map((id) => request(recording, id, () => outer.submit(id))))
    await turn()
    const batch = idOf(recording.one('batch outer'))
    expect(recording.named('wait inner').map(parentOf)).toEqual([batch, batch])
    expect(parentOf(recording.one('batch inner'))).toBeUndefined()
  })
})
