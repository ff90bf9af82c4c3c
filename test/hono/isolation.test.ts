/**
 * The seed of this project. LitServe once gave all requests of a batch one context dict
 * (Lightning-AI/LitServe#450): the start time that one request had written was found by another, and
 * the statistics were nonsense. A first middleware that asserts the key's absence shows it.
 */
import { createKey, tryCurrent } from '@heddle/context'
import { createBatcher } from '@heddle/core'
import { heddle, type HeddleVariables } from '@heddle/hono'
import { context, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import DataLoader from 'dataloader'
import { Hono } from 'hono'
import { contextStorage, tryGetContext } from 'hono/context-storage'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { listen, load } from '../support/server.ts'

const REQUESTS = 500
const CONCURRENCY = 64
const MAX_BATCH_SIZE = 32

const requestStart = createKey<number>('app.request_start')
const requestName = createKey<string>('app.request_name')

/** What some code sees of requests, whatever way they are carried. */
interface Visible {
  readonly scope: string | undefined
  readonly start: number | undefined
  readonly name: string | undefined
  readonly span: boolean
  readonly hono: boolean
}

function visible(): Visible {
  return {
    scope: tryCurrent()?.kind,
    start: requestStart.get(),
    name: requestName.get(),
    // In a batch the batch's own span is active; what must not be there is a caller's.
    span: callersSpans.has(activeSpan()),
    hono: tryGetContext() !== undefined,
  }
}

const callersSpans = new Set<string>()

function activeSpan(): string {
  return trace.getActiveSpan()?.spanContext().spanId ?? 'none'
}

type Doubler = (n: number) => Promise<number>

/** An app as its users have it: each handler reads its own values back after the batch. */
function appWith(double: Doubler): Hono<{ Variables: HeddleVariables }> {
  const app = new Hono<{ Variables: HeddleVariables }>()
  app.use(contextStorage(), heddle())
  app.use(async (c, next) => {
    requestStart.setOnce(performance.now())
    requestName.setOnce(c.get('requestId'))
    callersSpans.add(activeSpan())
    await next()
  })
  app.get('/double/:n', async (c) => {
    const before = requestStart.getOrThrow()
    const doubled = await double(Number(c.req.param('n')))
    const start = requestStart.getOrThrow()
    return c.json({
      doubled,
      name: requestName.getOrThrow(),
      id: c.get('scope').id,
      isOwnStart: start === before,
    })
  })
  return app
}

interface Answer {
  readonly doubled: number
  readonly name: string
  readonly id: string
  readonly isOwnStart: boolean
}

async function answersOf(double: Doubler): Promise<{ status: number; answer: Answer }[]> {
  await using server = await listen(appWith(double))
  // Awaited here, since the server is stopped when this function returns.
  return await load(REQUESTS, CONCURRENCY, async (n) => {
    const response = await fetch(`${server.url}/double/${n}`, {
      headers: { 'x-request-id': `request-${n}` },
    })
    const answer = (await response.json()) as Answer
    return { status: response.status, answer }
  })
}

describe('500 requests at concurrency 64 on a real socket', () => {
  const exporter = new InMemorySpanExporter()

  beforeAll(() => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager())
    trace.setGlobalTracerProvider(
      new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }),
    )
  })

  afterAll(() => {
    trace.disable()
    context.disable()
  })

  it('keeps every request apart through a batcher', async () => {
    const seen: Visible[] = []
    const sizes: number[] = []
    await using doubler = createBatcher({
      name: 'double',
      maxBatchSize: MAX_BATCH_SIZE,
      run: async (inputs: readonly number[]) => {
        sizes.push(inputs.length)
        seen.push(visible())
        await new Promise((resolve) => setTimeout(resolve, 2))
        seen.push(visible())
        return inputs.map((n) => n * 2)
      },
    })

    const results = await answersOf((n) => doubler.submit(n))

    for (const [n, { status, answer }] of results.entries()) {
      expect(status).toBe(200)
      expect(answer).toMatchObject({
        doubled: n * 2,
        name: `request-${n}`,
        id: `request-${n}`,
        isOwnStart: true,
      })
    }
    // The batches were real ones, and nothing of any request was to be seen in them.
    expect(Math.max(...sizes)).toBeGreaterThan(1)
    expect(Math.max(...sizes)).toBeLessThanOrEqual(MAX_BATCH_SIZE)
    expect(sizes.reduce((sum, size) => sum + size)).toBe(REQUESTS)
    for (const one of seen) {
      expect(one).toEqual({
        scope: 'batch',
        start: undefined,
        name: undefined,
        span: false,
        hono: false,
      })
    }
    expect(callersSpans.size).toBe(REQUESTS)
  })

  it('shows what happens with DataLoader: the batch runs as the first caller', async () => {
    const seen: Visible[] = []
    const loader = new DataLoader<number, number>(
      async (inputs) => {
        seen.push(visible())
        return inputs.map((n) => n * 2)
      },
      {
        cache: false,
        maxBatchSize: MAX_BATCH_SIZE,
        batchScheduleFn: (start) => setImmediate(start),
      },
    )

    await answersOf((n) => loader.load(n))

    const leaking = seen.filter(({ scope, name, hono }) => scope === 'request' && name && hono)
    expect(leaking.length).toBe(seen.length)
    expect(leaking.some(({ span }) => span)).toBe(true)
  })
})
