import { subscribe, unsubscribe } from 'node:diagnostics_channel'

import { createBatcher, instrument } from '@heddle/core'
import { instrumentBatchers } from '@heddle/otel'
import { context, trace } from '@opentelemetry/api'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { turn } from '../support/crank.ts'
import { record, turnOff } from './recording.ts'

let messages: string[] = []
const listener = (warning: unknown): void =>
  void messages.push((warning as { message: string }).message)

beforeEach(() => {
  turnOff()
  messages = []
  subscribe('heddle:warning', listener)
})

afterEach(() => {
  unsubscribe('heddle:warning', listener)
})

async function submitInSpan(): Promise<void> {
  using recording = record()
  using _ = instrumentBatchers()
  const batcher = createBatcher<number, number>({
    name: 'watched',
    run: (ns) => ns,
  })
  await recording.request('GET /', () => batcher.submit(1))
  await turn()
}

describe('the leak detector', () => {
  it('takes the span of the batch for what belongs there', async () => {
    await submitInSpan()
    expect(messages).toEqual([])
  })

  it('finds a span that a hook makes active, one of a request for example', async () => {
    using _ = instrument({
      aroundBatch: (_batch, _members, next) =>
        context.with(
          trace.setSpan(context.active(), trace.getTracer('test').startSpan('other')),
          next,
        ),
    })
    await submitInSpan()
    expect(messages[0]).toContain('`@opentelemetry/api` when it started')
  })
})
