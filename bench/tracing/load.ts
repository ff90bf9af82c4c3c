import assert from 'node:assert/strict'

import { context, ROOT_CONTEXT, SpanKind, trace, type Tracer } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'

export const BURST = 32

/** Asks for one thing, as a handler does. */
export type Ask = (n: number) => Promise<number>

context.setGlobalContextManager(new AsyncLocalStorageContextManager())

/** So many requests, each with a server span of its own. */
export async function requests(tracer: Tracer, ask: Ask, count: number): Promise<void> {
  for (let n = 0; n < count; n += BURST) {
    const answers: Promise<number>[] = []
    for (let index = 0; index < BURST; index += 1) answers.push(request(tracer, ask, index))
    const results = await Promise.all(answers)
    assert.equal(results[BURST - 1], BURST - 1)
  }
}

function request(tracer: Tracer, ask: Ask, n: number): Promise<number> {
  const span = tracer.startSpan('GET /', { kind: SpanKind.SERVER }, ROOT_CONTEXT)
  return context.with(trace.setSpan(ROOT_CONTEXT, span), async () => {
    const answer = await ask(n)
    span.end()
    return answer
  })
}
