import { createBatcher, instrument } from '@heddle/core'
import { heddle } from '@heddle/hono'
import { Hono } from 'hono'
import { timing } from 'hono/timing'
import { describe, expect, it } from 'vitest'

import { watchProcess } from '../../support/faults.ts'

type Variables = { metric: unknown }

/** An app with a variable `metric`, as `timing()` of Hono has one. */
function appWith(metric: unknown): Hono<{ Variables: Variables }> {
  const app = new Hono<{ Variables: Variables }>()
  app.use((c, next) => {
    c.set('metric', metric)
    return next()
  })
  app.use(heddle({ serverTiming: true }))
  app.get('/', (c) => c.text('ok'))
  return app
}

describe('Server-Timing', () => {
  it.each([
    'a metric of the app',
    null,
    { headers: 'x' },
    { headers: [] },
    { headers: [], timers: [] },
  ])('is written where `metric` is a variable of the app: %j', async (metric) => {
    const response = await appWith(metric).request('/')
    expect([response.status, await response.text()]).toEqual([200, 'ok'])
    expect(response.headers.get('server-timing')).toMatch(/^total;dur=/)
  })

  it('that cannot be written is named, and the answer goes out (R11)', async () => {
    using watch = watchProcess()
    const metric = { headers: Object.freeze([]), timers: new Map() }
    const app = appWith(metric)
    for (let n = 0; n < 2; n += 1) {
      const response = await app.request('/')
      expect([response.status, await response.text()]).toEqual([200, 'ok'])
    }
    expect(watch.culprits).toEqual(['@heddle/hono Server-Timing'])
  })

  it('has the times of items beside hooks that throw', async () => {
    using watch = watchProcess()
    const fail = (): never => {
      throw new Error('hook')
    }
    using _ = instrument({
      name: 'broken',
      onSubmit: fail,
      aroundBatch: fail,
      onSettle: fail,
    })
    const words = createBatcher<string, string>({ name: 'words', run: (all) => all })
    const app = new Hono()
    app.use(timing(), heddle({ serverTiming: true }))
    app.get('/', async (c) => c.text(await words.submit('a')))
    const response = await app.request('/')
    expect(await response.text()).toBe('a')
    expect(response.headers.get('server-timing')).toMatch(/queue;dur=.*run;dur=.*total;dur=/)
    expect(watch.culprits).toEqual(['broken aroundBatch', 'broken onSettle', 'broken onSubmit'])
  })
})
