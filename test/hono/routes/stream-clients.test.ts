/** Streams and their clients: who leaves, who stays, and in whose context what is called. */
import { createKey, snapshotCount } from '@heddle/context'
import { createStreamBatcher, END } from '@heddle/core'
import { heddle, type HeddleVariables, scopeOf, streamBatched } from '@heddle/hono'
import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'

import { turn, until } from '../../support/crank.ts'
import { randomFrom } from '../../support/random.ts'
import { listen, load } from '../../support/server.ts'
import { transports } from '../endings/transports.ts'

const tenant = createKey<string>('test.streams.tenant')

/** An app that knows the tenant of a request by its path, and notes when a request's scope closes. */
function tenantApp(events: string[] = []): Hono<{ Variables: HeddleVariables }> {
  const app = new Hono<{ Variables: HeddleVariables }>()
  app.use(heddle())
  app.use('/:tenant/*', async (c, next) => {
    const name = c.req.param('tenant')
    tenant.set(name)
    scopeOf(c).onClose(() => events.push(`${name} closed`))
    await next()
  })
  return app
}

function isLeaver(index: number): boolean {
  return index % 3 === 0
}

describe.each(Object.entries(transports))('over %s', (_, connect) => {
  it('a client that leaves gives its item up, and its batch-mate gets everything', async () => {
    const events: string[] = []
    const gate = Promise.withResolvers<void>()
    const words = createStreamBatcher({
      name: 'words',
      // Starts when both are there.
      maxBatchSize: 2,
      linger: 60_000,
      async *run(inputs: readonly string[], batch) {
        for (const { input, signal } of batch.items) {
          signal.addEventListener('abort', () => events.push(`${input} aborted`))
        }
        for (const index of inputs.keys()) yield [index, 'first'] as const
        await gate.promise
        for (const index of inputs.keys()) yield [index, 'last'] as const
        for (const index of inputs.keys()) yield [index, END] as const
      },
    })
    const app = tenantApp(events)
    app.get('/:tenant/words', async (c) =>
      streamBatched(c, words.stream(c.req.param('tenant')), {
        onAbort(reason) {
          events.push(`${tenant.get()} left: ${reason instanceof Error}`)
        },
      }),
    )
    await using client = await connect(app)
    const stays = client.send('/stays/words', 'GET')
    const leaves = client.send('/leaves/words', 'GET')
    await Promise.all([stays.firstChunk(), leaves.firstChunk()])
    leaves.leave()
    await until(() => events.length === 2)
    // Which of the two hears first, the runtime decides.
    expect(events.toSorted()).toEqual(['leaves aborted', 'leaves left: true'])
    gate.resolve()
    expect(await stays.text()).toContain('data: "last"\n\nevent: done\n')
    await until(() => events.length === 4)
    expect(events.slice(2).toSorted()).toEqual(['leaves closed', 'stays closed'])
  })

  it('a client that leaves before the first chunk takes its item along', async () => {
    const events: string[] = []
    const words = createStreamBatcher<string, string>({
      name: 'words',
      async *run(_inputs, { signal }) {
        events.push('started')
        await new Promise((resolve) => {
          signal.addEventListener('abort', resolve)
        })
        yield [0, 'for nobody']
      },
    })
    const app = tenantApp(events)
    app.get('/:tenant/words', async (c) =>
      streamBatched(c, words.stream('word'), { onAbort: () => events.push('left a stream') }),
    )
    await using client = await connect(app)
    const exchange = client.send('/a/words', 'GET')
    exchange.status.catch(() => {})
    await until(() => events.length === 1)
    exchange.leave()
    await until(() => events.length === 2)
    expect(events).toEqual(['started', 'a closed'])
    expect(words.stats().rejected.aborted).toBe(1)
  })

  it('an iterable and the callbacks run in their request’s context', async () => {
    const app = tenantApp()
    async function* mixed(): AsyncGenerator<string> {
      for (let n = 0; n < 3; n += 1) {
        await turn()
        yield tenant.get() ?? 'nobody'
      }
      throw new Error('own')
    }
    app.get('/:tenant/mixed', async (c) =>
      streamBatched(c, mixed(), {
        message: (chunk) => ({ data: `${chunk} for ${tenant.get()}` }),
        onError: () => `failed for ${tenant.get()}`,
      }),
    )
    await using client = await connect(app)
    const names = ['a', 'b', 'c', 'd']
    const texts = await Promise.all(
      names.map((name) => client.send(`/${name}/mixed`, 'GET').text()),
    )
    expect(texts).toEqual(
      names.map(
        (name) =>
          `data: ${name} for ${name}\n\n`.repeat(3) +
          `event: error\ndata: "failed for ${name}"\n\n`,
      ),
    )
  })

  it('an iterable is ended in its request’s context, before the scope closes', async () => {
    const events: string[] = []
    const gate = Promise.withResolvers<void>()
    const app = tenantApp(events)
    async function* endless(): AsyncGenerator<number> {
      try {
        yield 1
        await gate.promise
        yield 2
      } finally {
        events.push(`${tenant.get()} returned`)
      }
    }
    app.get('/:tenant/endless', async (c) =>
      streamBatched(c, endless(), {
        onAbort() {
          events.push('left')
        },
      }),
    )
    await using client = await connect(app)
    const exchange = client.send('/a/endless', 'GET')
    await exchange.firstChunk()
    exchange.leave()
    await until(() => events.length > 0)
    gate.resolve()
    await until(() => events.length === 3)
    expect(events).toEqual(['left', 'a returned', 'a closed'])
  })

  it('HEAD waits for the first chunk, and leaves no item behind', async () => {
    const events: string[] = []
    const app = tenantApp(events)
    async function* chunks(): AsyncGenerator<number> {
      try {
        yield 1
      } finally {
        events.push('returned')
      }
    }
    app.get('/:tenant/head', async (c) => streamBatched(c, chunks()))
    await using client = await connect(app)
    const exchange = client.send('/a/head', 'HEAD')
    expect([await exchange.status, await exchange.text()]).toEqual([200, ''])
    await until(() => events.length === 2)
    expect(events).toEqual(['returned', 'a closed'])
  })

  it('a stream that a middleware has put aside is ended when the scope closes', async () => {
    const events: string[] = []
    const app = tenantApp(events)
    async function* chunks(): AsyncGenerator<number> {
      try {
        yield 1
        yield 2
      } finally {
        events.push('returned')
      }
    }
    app.get('/:tenant/aside', async (c) => {
      await streamBatched(c, chunks(), { onAbort: () => events.push('left') })
      return c.text('instead')
    })
    await using client = await connect(app)
    expect(await client.send('/a/aside', 'GET').text()).toBe('instead')
    await until(() => events.length === 2)
    // Whoever has put it aside has not waited for it: it ends with its scope, not before.
    expect(events).toEqual(['a closed', 'returned'])
  })
})

it('of a crowd of which a third leaves, nobody and nothing is left behind', async () => {
  const before = snapshotCount()
  const clients = 120
  const random = randomFrom(7)
  const events: string[] = []
  const words = createStreamBatcher<string, string>({
    name: 'words',
    maxBatchSize: 8,
    maxConcurrency: 2,
    async *run(inputs) {
      for (let round = 0; round < 4; round += 1) {
        for (const [index, input] of inputs.entries()) yield [index, input]
        await turn()
      }
    },
  })
  const app = tenantApp(events)
  app.get('/:tenant/words', async (c) =>
    streamBatched(c, words.stream(tenant.get() ?? 'nobody'), {
      message: (chunk) => ({ data: `${chunk}/${tenant.get()}` }),
    }),
  )
  await using server = await listen(app)
  const visit = async (index: number): Promise<string> => {
    const client = new AbortController()
    const answer = fetch(`${server.url}/t${index}/words`, { signal: client.signal })
    const text = answer.then((response) => response.text()).catch(() => 'left')
    for (let left = isLeaver(index) ? random() * 12 : 0; left > 0; left -= 1) await turn()
    if (isLeaver(index)) client.abort()
    return text
  }
  const texts = await load(clients, 16, visit)
  const whole = (index: number): string => `data: t${index}/t${index}\n\n`.repeat(4)
  const wrong = texts.filter((text, index) => !isLeaver(index) && !text.startsWith(whole(index)))
  expect(wrong).toEqual([])
  await words.drain()
  await until(() => snapshotCount().open === before.open)
  const { queued, inFlight } = words.stats()
  expect([queued, inFlight, snapshotCount()]).toEqual([0, 0, before])
  // Who leaves before the request is out has none.
  await until(() => texts.every((_, n) => isLeaver(n) || events.includes(`t${n} closed`)))
  expect(new Set(events).size).toBe(events.length)
})

it('a stream leaves no snapshot behind, however it ends', async () => {
  const before = snapshotCount()
  const app = tenantApp()
  async function* chunks(): AsyncGenerator<number> {
    yield 1
    await turn()
    yield 2
    throw new Error('own')
  }
  app.get('/:tenant/:format', async (c) =>
    streamBatched(c, chunks(), {
      format: c.req.param('format') === 'ndjson' ? 'ndjson' : 'sse',
      onError: () => 'own',
    }),
  )
  await (await app.request('/a/sse')).text()
  await (await app.request('/a/ndjson')).text()
  const reader = (await app.request('/a/sse')).body!.getReader()
  await reader.read()
  await reader.cancel()
  expect(snapshotCount()).toEqual(before)
})
