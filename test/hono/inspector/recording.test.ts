/** What the inspector tells a page about batchers. */
import { createKey, runRequest } from '@heddle/context'
import { type BatcherHooks, createBatcher, instrument } from '@heddle/core'
import { virtualClock } from '@heddle/core/testing'
import { heddle } from '@heddle/hono'
import { inspector } from '@heddle/hono/inspector'
import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'

import { crank, ended, until } from '../../support/crank.ts'
import { type Told, watch } from './watch.ts'

const tenant = createKey<string>('test.inspector.tenant', { batch: 'partition' })

function ofType(told: Told, type: string): Told['events'] {
  return told.events.filter((event) => event.type === type)
}

/** In process it cannot know who looks. */
function open(): Hono {
  return inspector({ authorize: () => true })
}

function appWith(route: (app: Hono<any>) => void): Hono<any> {
  const app = new Hono<any>()
  app.route('/_heddle', open())
  app.use(heddle({ serverTiming: false }))
  route(app)
  return app
}

describe('the inspector', () => {
  it('tells who waited how long, and in which batch, as the item’s own timing says', async () => {
    const { run, calls } = crank<string>()
    const words = createBatcher({ name: 'told', run, maxBatchSize: 8 })
    const timings: { queued: number; ran: number }[] = []
    const app = appWith((to) =>
      to.get('/words/:word', async (c) => {
        const onTiming = (timing: { queued: number; ran: number }): void =>
          void timings.push(timing)
        return c.text(await words.submit(c.req.param('word'), { onTiming }))
      }),
    )
    await using page = await watch(app)
    const answers = ['a', 'b'].map((word) =>
      app.request(`/words/${word}`, { headers: { 'x-request-id': `request-${word}` } }),
    )
    await until(() => calls.length === 1)
    const running = await page.until((told) => ofType(told, 'start').length === 1)
    expect(running.gauges).toEqual([
      expect.objectContaining({ batcher: 'told', queued: 0, running: 1, items: 2, batches: 1 }),
    ])
    calls[0]?.finish(['A', 'B'])
    await Promise.all(answers)
    const told = await page.until((all) => ofType(all, 'end').length === 1)
    const [start] = ofType(told, 'start')
    expect(start).toMatchObject({ batcher: 'told', size: 2, maxSize: 8, reason: 'idle' })
    expect(start?.members).toMatchObject([
      { request: 'request-a', route: 'GET /words/:word' },
      { request: 'request-b', route: 'GET /words/:word' },
    ])
    const micros = (value: number): number => Math.round(value * 1000) / 1000
    expect(ofType(told, 'settle').flatMap(({ items }) => items)).toEqual(
      timings.map(({ queued, ran }, place) => [place, micros(queued), micros(ran)]),
    )
    expect(told.events.map(({ type }) => type)).toEqual(['start', 'settle', 'end'])
    expect(told.gauges).toMatchObject([{ running: 0 }])
  })

  it('has no value of an item, a result, an error or a path in it', async () => {
    const batcher = createBatcher({
      name: 'secrets',
      run: (inputs: readonly string[]) =>
        inputs.map((input) => (input === 'secret-3' ? new RangeError('secret-4') : 'secret-2')),
    })
    const app = appWith((to) =>
      to.get('/:id', async (c) => c.text(await batcher.submit(c.req.query('of') ?? ''))),
    )
    app.onError((_error, c) => c.text('failed', 500))
    await using page = await watch(app)
    await app.request('/secret-0?of=secret-1')
    await app.request('/secret-0?of=secret-3')
    const told = await page.until((all) => ofType(all, 'end').length === 2)
    expect(JSON.stringify(told)).not.toContain('secret-')
    const settled = ofType(told, 'settle').flatMap(({ items }) => items)
    expect(settled.map(([, , , error]) => error)).toEqual([undefined, 'RangeError'])
  })

  it('names partitions in development alone', async () => {
    const batcher = createBatcher({ name: 'partitions', run: (ids: readonly number[]) => ids })
    const toldOf = async (app: Hono): Promise<string> => {
      await using page = await watch(app, '/events')
      await runRequest({ entries: [tenant.of('acme')] }, () => batcher.submit(1))
      return ofType(await page.until((all) => ofType(all, 'end').length === 1), 'start')[0]
        ?.partition
    }
    const before = process.env.NODE_ENV
    try {
      process.env.NODE_ENV = 'development'
      expect(await toldOf(open())).toBe('test.inspector.tenant=acme')
      for (const other of ['production', 'staging', undefined]) {
        if (other === undefined) delete process.env.NODE_ENV
        else process.env.NODE_ENV = other
        expect(await toldOf(open())).toBe('')
      }
    } finally {
      process.env.NODE_ENV = before
    }
  })

  it('tells of items that never ran', async () => {
    const { run, calls } = crank<number>()
    const batcher = createBatcher({ name: 'lost', run, maxBatchSize: 1, maxQueueSize: 1 })
    await using page = await watch(open(), '/events')
    const leaving = new AbortController()
    const running = batcher.submit(1)
    await until(() => calls.length === 1)
    const waiting = ended(batcher.submit(2, { signal: leaving.signal }))
    expect(await ended(batcher.submit(3))).toBe('QUEUE_FULL')
    leaving.abort()
    await waiting
    calls[0]?.finish([1])
    await running
    const told = await page.until((all) => ofType(all, 'end').length === 1)
    expect(ofType(told, 'lost').map(({ error }) => error)).toEqual(['QUEUE_FULL', 'AbortError'])
    expect(told.gauges).toMatchObject([{ queued: 0, lost: 2, items: 1 }])
  })

  it('tells who joined a batch that ran already, and what failed one', async () => {
    const { run, calls } = crank<string>()
    const batcher = createBatcher({ name: 'joined', run, dedupeBy: (input) => input })
    await using page = await watch(open(), '/events')
    const first = ended(batcher.submit('same'))
    await until(() => calls.length === 1)
    const second = ended(batcher.submit('same'))
    calls[0]?.fail(new TypeError('broken'))
    expect(await Promise.all([first, second])).toEqual(['BATCH_FAILED', 'BATCH_FAILED'])
    const told = await page.until((all) => ofType(all, 'end').length === 1)
    expect(ofType(told, 'start')).toMatchObject([{ size: 1, members: [{}] }])
    expect(ofType(told, 'join')).toHaveLength(1)
    const settled = ofType(told, 'settle').flatMap(({ items }) => items)
    expect(settled.map(([place, , , error]) => [place, error])).toEqual([
      [0, 'BATCH_FAILED'],
      [1, 'BATCH_FAILED'],
    ])
    expect(ofType(told, 'end')).toMatchObject([{ error: 'TypeError' }])
  })

  it('counts everything and shows no more than a page can take', async () => {
    const batcher = createBatcher({
      name: 'many',
      run: (inputs: readonly number[]) => inputs,
      maxBatchSize: 50,
      maxQueueSize: 10_000,
    })
    await using page = await watch(open(), '/events')
    {
      // What may be shown grows with the time.
      using clock = virtualClock()
      const all = Promise.all(Array.from({ length: 10_000 }, (_, n) => batcher.submit(n)))
      await clock.advance(100)
      await all
    }
    const told = await page.until(({ gauges }) => gauges[0]?.items === 10_000)
    const starts = ofType(told, 'start')
    expect(starts).toHaveLength(told.gauges[0]?.batches as number)
    const shown = starts.flatMap(({ members }) => members)
    expect(shown.length).toBeGreaterThan(0)
    expect(told.left).toBe(10_000 - shown.length)
    expect(told.left).toBeGreaterThan(0)
  })
})

describe('a page that does not keep up', () => {
  it('is told that it has missed something', async () => {
    const batcher = createBatcher({ name: 'slow-page', run: (inputs: readonly number[]) => inputs })
    const app = open()
    await using page = await watch(app, '/events')
    {
      using clock = virtualClock()
      // Nobody reads while these run, and no log has room for so many.
      for (let round = 0; round < 300; round += 1) {
        const all = Promise.all(Array.from({ length: 600 }, (_, n) => batcher.submit(n)))
        await clock.advance(1000)
        await all
      }
    }
    const told = await page.until(({ gauges }) => gauges[0]?.items === 180_000)
    expect(told.missed).toBe(true)
    expect(ofType(told, 'start').length).toBeLessThan(1000)
  })
})

describe('without a page', () => {
  it('nobody listens to batchers, not even after one has been closed', async () => {
    // What an instrument notes of an item stands in a list of its own, so a second one shows in it.
    const seen: number[] = []
    const hooks: BatcherHooks = {
      aroundBatch: (_batch, members, next) => {
        seen.push(members.length)
        return next()
      },
    }
    using _hooks = instrument(hooks)
    const app = open()
    const { [Symbol.for('@heddle/core/instruments/v1')]: registry } = globalThis as unknown as {
      [key: symbol]: { readonly instruments: readonly unknown[] }
    }
    const before = registry!.instruments.length
    {
      await using _page = await watch(app, '/events')
      await using _other = await watch(app, '/events')
      expect(registry!.instruments).toHaveLength(before + 1)
    }
    await until(() => registry!.instruments.length === before)
    expect(registry!.instruments).toHaveLength(before)
  })
})
