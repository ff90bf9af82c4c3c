import { createStreamBatcher, END } from '@heddle/core'
import { virtualClock } from '@heddle/core/testing'
import { heddle, type HeddleOptions, streamBatched, type StreamOptions } from '@heddle/hono'
import { Hono } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { describe, expect, it } from 'vitest'

import { turn } from '../../support/crank.ts'
import { listen } from '../../support/server.ts'
import { eventsOf, read } from './reading.ts'

async function* counting(last: number): AsyncGenerator<number> {
  for (let n = 1; n <= last; n += 1) {
    await turn()
    yield n
  }
}

async function* failing(error: unknown): AsyncGenerator<string> {
  yield 'first'
  await turn()
  throw error
}

/** An app whose one route answers with the stream. */
function appWith<C>(
  stream: () => AsyncIterable<C> | Promise<AsyncIterable<C>>,
  options?: StreamOptions<C>,
  heddleOptions?: HeddleOptions,
): Hono {
  const app = new Hono()
  app.use(heddle(heddleOptions))
  app.get('/', async (c) => streamBatched(c, stream(), options))
  return app
}

const withId = { headers: { 'x-request-id': 'r1' } }

describe('a stream that comes to its end', () => {
  it('is server-sent events: one per chunk, and the totals', async () => {
    await using server = await listen(appWith(() => counting(2), undefined, { serverTiming: true }))
    const answer = await fetch(server.url)
    expect(answer.headers.get('content-type')).toBe('text/event-stream')
    expect(answer.headers.get('cache-control')).toBe('no-cache')
    const text = await answer.text()
    expect(text).toMatch(/^data: 1\n\ndata: 2\n\nevent: done\ndata: \{.*\}\n\n$/)
    expect(eventsOf(text)[2]?.data).toEqual({ chunks: 2, total: expect.any(Number) })
  })

  it('has events of the app’s making with `message`', async () => {
    const app = appWith(() => counting(2), {
      message: (n, index) => ({ id: String(index), event: 'number', data: `n\n${n}` }),
    })
    expect(await (await app.request('/')).text()).toContain(
      'event: number\nid: 1\ndata: n\ndata: 2\n\n',
    )
  })

  it('is lines of JSON', async () => {
    await using server = await listen(
      appWith(() => counting(2), { format: 'ndjson' }, { serverTiming: true }),
    )
    const answer = await fetch(server.url)
    expect(answer.headers.get('content-type')).toBe('application/x-ndjson')
    expect(await answer.text()).toMatch(/^1\n2\n\{"done":\{"chunks":2,"total":[\d.]+\}\}\n$/)
  })

  it('is what the chunks are', async () => {
    async function* chunks(): AsyncGenerator<string | Uint8Array> {
      yield 'ä'
      await turn()
      yield new TextEncoder().encode('ö')
    }
    await using server = await listen(appWith(chunks, { format: 'plain' }))
    const answer = await fetch(server.url)
    expect(answer.headers.get('content-type')).toBe('text/plain; charset=UTF-8')
    expect(await answer.text()).toBe('äö')
    const svg = appWith(chunks, { format: 'plain', contentType: 'image/svg+xml' })
    expect((await svg.request('/')).headers.get('content-type')).toBe('image/svg+xml')
  })

  it('may be empty, and may have to be waited for', async () => {
    const app = appWith(() => Promise.resolve(counting(0)), undefined, { serverTiming: false })
    expect(await (await app.request('/')).text()).toBe('event: done\ndata: {"chunks":0}\n\n')
  })

  it('tells the time of its item in the queue and in the batch', async () => {
    const letters = createStreamBatcher({
      name: 'letters',
      async *run(words: readonly string[]) {
        yield [0, words[0] ?? ''] as const
        await turn()
        yield [0, END] as const
      },
    })
    const app = appWith(() => letters.stream('a'), undefined, { serverTiming: true })
    const events = eventsOf(await (await app.request('/')).text())
    expect(events[0]).toEqual({ event: 'message', data: 'a' })
    const totals = events[1]?.data as Record<string, number>
    expect(totals).toEqual({
      chunks: 1,
      queue: expect.any(Number),
      run: expect.any(Number),
      total: expect.any(Number),
    })
    expect(totals['total']).toBeGreaterThanOrEqual(totals['run'] ?? Infinity)
  })

  it('is asked for a chunk when the client reads one', async () => {
    let asked = 0
    async function* counted(): AsyncGenerator<number> {
      while (asked < 100) {
        asked += 1
        yield asked
      }
    }
    const reader = (await appWith(counted).request('/')).body!.getReader()
    expect(asked).toBe(1)
    await reader.read()
    await reader.read()
    await turn()
    expect(asked).toBe(2)
    await reader.cancel()
  })
})

describe('what prevents the first chunk', () => {
  it('is a real 503 when the queue is full', async () => {
    const gate = Promise.withResolvers<void>()
    const words = createStreamBatcher({
      name: 'words',
      maxBatchSize: 1,
      maxQueueSize: 1,
      async *run(inputs: readonly string[]) {
        await gate.promise
        yield [0, inputs[0] ?? ''] as const
      },
    })
    await using server = await listen(appWith(() => words.stream('word')))
    const running = fetch(server.url)
    while (words.stats().inFlight === 0) await turn()
    const queued = fetch(server.url)
    while (words.stats().queued === 0) await turn()
    const refused = await fetch(server.url, withId)
    expect(refused.status).toBe(503)
    expect(refused.headers.get('content-type')).toBe('application/problem+json')
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
    expect(await refused.json()).toMatchObject({ code: 'QUEUE_FULL', requestId: 'r1' })
    gate.resolve()
    for (const answer of await Promise.all([running, queued])) {
      expect(answer.status).toBe(200)
      expect(await answer.text()).toContain('data: "word"')
    }
  })

  it('is an item’s own error, and a deadline, with their status', async () => {
    const words = createStreamBatcher<number, string>({
      name: 'words',
      async *run() {
        yield [0, new HTTPException(422, { message: 'odd' })]
      },
    })
    const app = appWith(() => words.stream(1))
    const odd = await app.request('/')
    expect([odd.status, await odd.text()]).toEqual([422, 'odd'])
    const slow = createStreamBatcher<number, number>({
      name: 'slow',
      async *run(_, { signal }) {
        await new Promise((resolve) => {
          signal.addEventListener('abort', resolve)
        })
        yield [0, 1]
      },
    })
    const late = await appWith(() => slow.stream(1), {}, { timeout: 5 }).request('/')
    expect([late.status, await late.json()]).toEqual([
      504,
      expect.objectContaining({ code: 'DEADLINE_EXCEEDED' }),
    ])
  })

  it('is a deadline that nobody else has looked at', async () => {
    using clock = virtualClock()
    const events: string[] = []
    async function* deaf(): AsyncGenerator<number> {
      try {
        await clock.advance(30)
        yield 1
      } finally {
        events.push('returned')
      }
    }
    const late = await appWith(deaf, {}, { timeout: 5 }).request('/')
    expect([late.status, events]).toEqual([504, ['returned']])
  })
})

describe('what fails later', () => {
  it.each<[string, unknown, object]>([
    [
      'an HTTPException',
      new HTTPException(409, { message: 'taken' }),
      { status: 409, title: 'Conflict', code: 'HTTP_ERROR', detail: 'taken' },
    ],
    [
      'one with a problem of its own',
      new HTTPException(409, {
        res: Response.json(
          { own: true },
          { status: 409, headers: { 'content-type': 'application/problem+json' } },
        ),
      }),
      { own: true },
    ],
  ])('is an event with %s', async (_, error, problem) => {
    await using server = await listen(appWith(() => failing(error)))
    const answer = await fetch(server.url, withId)
    expect(answer.status).toBe(200)
    expect(eventsOf(await answer.text())).toEqual([
      { event: 'message', data: 'first' },
      { event: 'error', data: expect.objectContaining(problem) },
    ])
  })

  it('is the problem of a batcher’s error, and a last line', async () => {
    const words = createStreamBatcher<number, string>({
      name: 'words',
      async *run() {
        yield [0, 'first']
        await turn()
        throw new Error('password=1234')
      },
    })
    const app = appWith(() => words.stream(1), { format: 'ndjson' })
    const lines = (await (await app.request('/', withId)).text()).trimEnd().split('\n')
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      'first',
      {
        error: expect.objectContaining({
          type: 'about:blank',
          title: 'Internal Server Error',
          status: 500,
          code: 'BATCH_FAILED',
          requestId: 'r1',
        }),
      },
    ])
  })

  it('keeps the status that a batch function throws, and is an Error whatever an iterable throws', async () => {
    const upstream = createStreamBatcher<number, string>({
      name: 'upstream',
      async *run() {
        yield [0, 'first']
        await turn()
        throw new HTTPException(502, { message: 'upstream' })
      },
    })
    const [, last] = eventsOf(await (await appWith(() => upstream.stream(1)).request('/')).text())
    expect(last?.data).toMatchObject({ status: 502, title: 'Bad Gateway', detail: 'upstream' })
    const app = appWith(() => failing('text'), { onError: ({ cause }) => ({ cause }) })
    expect(await (await app.request('/')).text()).toContain('event: error\ndata: {"cause":"text"}')
  })

  it('is what the app’s `onError` makes of it', async () => {
    const app = appWith(() => failing(new Error('own')), {
      onError: (error) => ({ sorry: error.message }),
    })
    const [, last] = eventsOf(await (await app.request('/')).text())
    expect(last).toEqual({ event: 'error', data: { sorry: 'own' } })
  })

  it('cuts a plain body off', async () => {
    const onError = (): void => {}
    await using server = await listen(
      appWith(() => failing(new Error('own')), { format: 'plain', onError }),
    )
    const answer = await fetch(server.url)
    const end = await answer.text().then(
      () => 'whole',
      () => 'cut off',
    )
    expect(end).toBe('cut off')
  })

  it('is a chunk that cannot be written; the iterable is ended', async () => {
    const events: string[] = []
    async function* chunks(): AsyncGenerator<bigint | number> {
      try {
        yield 1
        yield 1n
      } finally {
        events.push('returned')
      }
    }
    const app = appWith(chunks, { onError: (error) => error.name })
    const [, last] = eventsOf(await (await app.request('/')).text())
    expect([last?.data, events]).toEqual(['TypeError', ['returned']])
  })

  it('is a deadline, which ends the iterable, too', async () => {
    const events: string[] = []
    const never = Promise.withResolvers<void>()
    const stream: AsyncIterableIterator<number> = {
      next: async () => {
        if (events.push('next') > 1) await never.promise
        return { done: false, value: 1 }
      },
      return: () => {
        events.push('return')
        return Promise.resolve({ done: true, value: undefined })
      },
      [Symbol.asyncIterator]() {
        return this
      },
    }
    using clock = virtualClock()
    await using server = await listen(appWith(() => stream, {}, { timeout: 20 }))
    const { rest } = await read(server.url)
    await clock.advance(20)
    expect(eventsOf(await rest()).at(-1)).toEqual({
      event: 'error',
      data: expect.objectContaining({ status: 504, code: 'DEADLINE_EXCEEDED' }),
    })
    expect(events.at(-1)).toBe('return')
  })
})

describe('misuse', () => {
  it('is named with cause and cure', async () => {
    const messages: string[] = []
    const app = new Hono()
    app.get('/bare', async (c) => streamBatched(c, counting(1)))
    app.use(heddle())
    app.get('/format', async (c) => streamBatched(c, counting(1), { format: 'xml' as 'sse' }))
    app.get('/value', async (c) => streamBatched(c, Promise.resolve(1 as never)))
    app.onError((error, c) => {
      messages.push(error.message)
      return c.text('', 500)
    })
    for (const path of ['/bare', '/format', '/value']) await app.request(path)
    expect(messages).toEqual([
      expect.stringContaining('`heddle()` does not run before'),
      expect.stringContaining("'sse', 'ndjson' or 'plain', got 'xml'"),
      expect.stringContaining('an async iterable, got number'),
    ])
  })

  it('is a plain stream of what is no text', () => {
    const app = new Hono()
    app.get('/', async (c) =>
      // @ts-expect-error numbers have to be made strings before
      streamBatched(c, counting(1), { format: 'plain' }),
    )
    expect(app.routes).toHaveLength(1)
  })
})
