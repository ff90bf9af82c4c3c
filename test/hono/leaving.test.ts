/** What is left of a stream when its client has left: the rest of its source still has the request's values. */
import { ReadableStream as NodeReadableStream } from 'node:stream/web'

import { bindAsyncIterable, bindReadableStream, createKey, type Scope } from '@heddle/context'
import { virtualClock } from '@heddle/core/testing'
import { heddle, type HeddleVariables, scopeOf, streamBatched } from '@heddle/hono'
import { type Context, Hono } from 'hono'
import { stream, streamSSE, streamText } from 'hono/streaming'
import type { StreamingApi } from 'hono/utils/stream'
import { describe, expect, it } from 'vitest'

import { sleep, turn, until } from '../support/crank.ts'
import { transports } from './endings/transports.ts'

const user = createKey<string>('test.leaving.user')

type App = Hono<{ Variables: HeddleVariables }>
type Note = (what: string) => void

interface Seen {
  readonly app: App
  readonly scopes: Scope[]
  readonly events: string[]
}

function appWith(answer: (c: Context, note: Note) => Response | Promise<Response>): Seen {
  const scopes: Scope[] = []
  const events: string[] = []
  const note: Note = (what) => void events.push(`${what} ${user.get()}`)
  const app: App = new Hono()
  app.use(heddle(), async (c, next) => {
    user.set('ada')
    const scope = scopeOf(c)
    scopes.push(scope)
    scope.onClose(() => events.push('closed'))
    await next()
    // Hono's helpers set it, and HTTP/2 forbids it.
    c.res.headers.delete('Transfer-Encoding')
  })
  app.get('/', (c) => answer(c, note))
  return { app, scopes, events }
}

/** The rest of a source, part of it after others had their turn. */
async function rest(note: Note): Promise<void> {
  note('finally')
  await turn()
  note('after a turn')
}

const REST = ['finally ada', 'after a turn ada']

function streamOf(source: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array<ArrayBuffer>> {
  return NodeReadableStream.from(source) as ReadableStream<Uint8Array<ArrayBuffer>>
}

async function* generate(note: Note): AsyncGenerator<Uint8Array> {
  try {
    for (;;) {
      yield new TextEncoder().encode('more')
      await sleep(1)
    }
  } finally {
    await rest(note)
  }
}

async function writeOn(out: StreamingApi): Promise<void> {
  while (!out.aborted) {
    await out.write('more')
    await sleep(1)
  }
}

async function write(out: StreamingApi, note: Note): Promise<void> {
  out.onAbort(() => note('left'))
  try {
    await writeOn(out)
  } finally {
    await rest(note)
  }
}

interface Source {
  readonly answer: (c: Context, note: Note) => Response | Promise<Response>
  readonly events: readonly string[]
}

const told = ['left ada', ...REST]

const sources: Readonly<Record<string, Source>> = {
  'stream()': { answer: (c, note) => stream(c, (out) => write(out, note)), events: told },
  'streamText()': { answer: (c, note) => streamText(c, (out) => write(out, note)), events: told },
  'streamSSE()': { answer: (c, note) => streamSSE(c, (out) => write(out, note)), events: told },
  'a stream() that closes itself': {
    answer: (c, note) =>
      stream(c, async (out) => {
        try {
          await writeOn(out)
        } finally {
          await out.close()
          note('closed by itself')
        }
      }),
    events: ['closed by itself ada'],
  },
  'a stream() that fails': {
    answer: (c, note) =>
      stream(
        c,
        async (out) => {
          await writeOn(out)
          throw new Error('failed')
        },
        async () => rest(note),
      ),
    events: REST,
  },
  'a copy of a stream()': {
    answer: (c, note) => {
      const { body, headers } = stream(c, (out) => write(out, note))
      return new Response(body, { headers })
    },
    events: told,
  },
  'streamBatched()': {
    answer: (c, note) =>
      streamBatched(c, generate(note), { format: 'plain', onAbort: () => note('left') }),
    events: told,
  },
  'a bound iterable': {
    answer: (_c, note) => new Response(streamOf(bindAsyncIterable(generate(note)))),
    events: REST,
  },
  'a bound iterable in c.body()': {
    answer: (c, note) => c.body(streamOf(bindAsyncIterable(generate(note)))),
    events: REST,
  },
  'a bound stream': {
    answer: (_c, note) => new Response(bindReadableStream(streamOf(generate(note)))),
    events: REST,
  },
  'a stream that writes by itself': {
    answer: (c, note) => {
      const reader = new AbortController()
      const produce = async (out: ReadableStreamDefaultController<Uint8Array>): Promise<void> => {
        while (!reader.signal.aborted) {
          if ((out.desiredSize ?? 0) > -10) out.enqueue(new TextEncoder().encode('more'))
          await sleep(1)
        }
        await rest(note)
      }
      return c.body(
        new ReadableStream({
          start: (out) => void produce(out),
          cancel: () => reader.abort(),
        }),
      )
    },
    events: REST,
  },
  ...('bun' in process.versions && {
    'a bound iterable as a body': {
      answer: (_c: Context, note: Note) => new Response(bindAsyncIterable(generate(note)) as never),
      events: REST,
    },
  }),
}

describe.each(Object.entries(transports))('over %s', (_name, open) => {
  it.each(Object.entries(sources))(
    'the rest of %s has the request’s values',
    async (_source, { answer, events }) => {
      using clock = virtualClock()
      const seen = appWith(answer)
      await using client = await open(seen.app)
      const exchange = client.send('/', 'GET')
      await exchange.firstChunk()
      expect(seen.scopes.map(({ state }) => state)).toEqual(['settling'])
      exchange.leave()
      await until(() => seen.events.length >= events.length)
      // For the one that cannot tell its end. The time that the others have at most is far longer.
      await until(() => seen.scopes[0]?.state === 'closed' || clock.timers > 0)
      await clock.advance(1000)
      await until(() => seen.events.includes('closed'))
      expect(seen.events).toEqual([...events, 'closed'])
    },
  )

  it('a client that leaves aborts its scope, although nobody has asked for the signal', async () => {
    const seen = appWith((c, note) => stream(c, (out) => write(out, note)))
    await using client = await open(seen.app)
    const exchange = client.send('/', 'GET')
    await exchange.firstChunk()
    exchange.leave()
    await until(() => seen.events.includes('closed'))
    expect(seen.scopes[0]?.signal.reason).toMatchObject({ name: 'AbortError' })
  })

  it('a client that leaves before there is a stream changes nothing of that', async () => {
    const seen = appWith(async (c, note) => {
      const { signal } = scopeOf(c)
      await until(() => signal.aborted)
      return stream(c, async (out) => {
        await out.write('for nobody')
        await rest(note)
      })
    })
    await using client = await open(seen.app)
    const exchange = client.send('/', 'GET')
    exchange.status.catch(() => {})
    await until(() => seen.scopes.length === 1)
    exchange.leave()
    await until(() => seen.events.includes('closed'))
    expect(seen.events).toEqual([...REST, 'closed'])
  })

  it('a source that never ends keeps the scope open for a time', async () => {
    using clock = virtualClock()
    const left = Promise.withResolvers<void>()
    const seen = appWith((c) =>
      stream(c, async (out) => {
        out.onAbort(left.resolve)
        await out.write('first')
        await new Promise(() => {})
      }),
    )
    await using client = await open(seen.app)
    const exchange = client.send('/', 'GET')
    await exchange.firstChunk()
    exchange.leave()
    await left.promise
    await until(() => seen.scopes[0]?.signal.aborted === true)
    await turn()
    await clock.advance(29_000)
    expect(seen.scopes[0]?.state).toBe('settling')
    await clock.advance(1000)
    expect(seen.scopes[0]?.state).toBe('closed')
    expect(clock.timers).toBe(0)
  })

  it('one that cannot tell its end does so for a shorter time', async () => {
    using clock = virtualClock()
    const seen = appWith((c) =>
      c.body(
        new ReadableStream({ start: (out) => out.enqueue(new TextEncoder().encode('first')) }),
      ),
    )
    await using client = await open(seen.app)
    const exchange = client.send('/', 'GET')
    await exchange.firstChunk()
    exchange.leave()
    await until(() => seen.scopes[0]?.signal.aborted === true)
    await until(() => clock.timers > 0)
    await clock.advance(999)
    expect(seen.scopes[0]?.state).toBe('settling')
    await clock.advance(1)
    expect(seen.scopes[0]?.state).toBe('closed')
  })

  it('a bound source that nobody reads keeps it open for a time', async () => {
    using clock = virtualClock()
    const seen = appWith((_c, note) => new Response(bindReadableStream(streamOf(generate(note)))))
    await using client = await open(seen.app)
    const exchange = client.send('/', 'HEAD')
    expect(await exchange.status).toBe(200)
    await until(() => clock.timers > 0)
    expect(seen.scopes[0]?.state).toBe('settling')
    await clock.advance(4999)
    expect(seen.scopes[0]?.state).toBe('settling')
    await clock.advance(1)
    await until(() => seen.scopes[0]?.state === 'closed')
    expect(seen.events).toEqual(['closed'])
  })

  it('a client that stays to the end leaves nothing open', async () => {
    using clock = virtualClock()
    const seen = appWith((c) =>
      stream(c, async (out) => {
        await out.write('all')
      }),
    )
    await using client = await open(seen.app)
    const exchange = client.send('/', 'GET')
    expect(await exchange.text()).toBe('all')
    await until(() => seen.scopes[0]?.state === 'closed')
    expect(seen.scopes[0]?.signal.aborted).toBe(false)
    expect(clock.timers).toBe(0)
  })
})
