import { createBatcher } from '@heddle/core'
import { inspector } from '@heddle/hono/inspector'
import { type Context, context, type ContextManager } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { describe, expect, it } from 'vitest'

import { ended } from '../../support/crank.ts'
import { thrown, watchProcess } from '../../support/faults.ts'
import { watch as watchPage } from '../inspector/watch.ts'

describe('the inspector', () => {
  it.each(Object.entries(thrown))(
    'shows batches that reject with %s, and goes on (R11)',
    async (_name, make) => {
      using watch = watchProcess()
      await using page = await watchPage(inspector({ authorize: () => true }), '/events')
      const odd = createBatcher<number, number>({
        name: 'odd',
        run() {
          throw make()
        },
      })
      expect(await ended(odd.submit(1))).toBe('BATCH_FAILED')
      const told = await page.until(({ events }) => events.some(({ type }) => type === 'end'))
      expect(told.events.find(({ type }) => type === 'end')?.['error']).toEqual(expect.any(String))
      expect(told.gauges).toMatchObject([{ batcher: 'odd', running: 0, queued: 0 }])
      expect(watch.culprits).toEqual([])
    },
  )

  it('shows items without their traces where the tracer fails', async () => {
    using watch = watchProcess()
    const active = (): Context => {
      throw new Error('context manager')
    }
    const manager: ContextManager = Object.assign(new AsyncLocalStorageContextManager(), { active })
    await using page = await watchPage(inspector({ authorize: () => true }), '/events')
    context.setGlobalContextManager(manager)
    try {
      const words = createBatcher<string, string>({ name: 'words', run: (all) => all })
      expect(await words.submit('a')).toBe('a')
    } finally {
      context.disable()
    }
    const told = await page.until(({ events }) => events.some(({ type }) => type === 'end'))
    expect(told.events.find(({ type }) => type === 'start')?.['members']).toHaveLength(1)
    expect(watch.culprits).toContain('@heddle/hono inspector trace id')
    expect(watch.uncaught).toEqual([])
  })
})
