/** A promise of a loader that nobody looks at: an unhandled rejection exactly if the batch function failed. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { createKey, runRequest } from '@heddle/context'
import { DataLoader, type DataLoaderOptions } from '@heddle/core/dataloader'
import { crank, virtualClock } from '@heddle/core/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { ended, turn } from '../../support/crank.ts'

const unhandled: unknown[] = []
const note = (reason: unknown): void => void unhandled.push(reason)

beforeEach(() => {
  unhandled.length = 0
  process.on('unhandledRejection', note)
})
afterEach(() => void process.off('unhandledRejection', note))

/** What was unhandled, once every promise job has run. */
async function unhandledNow(): Promise<unknown[]> {
  await turn()
  await turn()
  return unhandled
}

function turned(options: DataLoaderOptions<number, number> = {}) {
  const { run, calls } = crank<number>()
  return { loader: new DataLoader<number, number>(run, options), calls }
}

describe('nobody has to look at a load that the engine ended', () => {
  it.each([
    ['in a cache of the request', {}],
    ['in a `cacheMap` for all', { cacheMap: new Map<number, Promise<number>>() }],
    ['in no cache', { cache: false }],
    ['across requests', { acrossRequests: true }],
  ])('because the client left: %s, remembered or not', async (_where, options) => {
    const { loader, calls } = turned(options)
    const leaving = new AbortController()
    await runRequest({ signal: leaving.signal }, async () => {
      void loader.load(1)
      void loader.load(1)
      await turn()
      void loader.load(1)
      void loader.load(2)
      void loader.loadMany([1, 2])
      await turn()
      leaving.abort(new Error('left'))
      void loader.load(1)
      void loader.load(3)
      await turn()
    })
    expect(await unhandledNow()).toEqual([])
    for (const { finish, inputs } of calls) finish(inputs)
  })

  it('because the deadline passed', async () => {
    using clock = virtualClock()
    const { loader, calls } = turned()
    void runRequest({ timeout: 10 }, async () => {
      void loader.load(1)
      await clock.settle()
      void loader.load(1)
    })
    await clock.settle()
    await clock.advance(10)
    expect(await unhandledNow()).toEqual([])
    calls[0]?.finish([1])
  })

  it('because the queue was full, or the scope had closed', async () => {
    const tenant = createKey<string>('test.dataloader.rejections.tenant', { batch: 'partition' })
    const { loader, calls } = turned({ acrossRequests: { maxQueueSize: 1 } })
    let late: Promise<void> | undefined
    runRequest({ entries: [tenant.of('acme')] }, () => {
      void loader.load(1).catch(() => {})
      void loader.load(2)
      void loader.load(2)
      late = turn().then(() => void loader.load(3))
    })
    await turn()
    for (const { finish, inputs } of calls) finish(inputs)
    await late
    expect(await unhandledNow()).toEqual([])
  })

  it('because the request that loaded it for all has left, and the next one leaves, too', async () => {
    const { loader, calls } = turned({ cacheMap: new Map() })
    const leaving = new AbortController()
    const first = runRequest({ signal: leaving.signal }, () => ended(loader.load(1)))
    const second = runRequest({ signal: leaving.signal }, async () => {
      void loader.load(1)
      await turn()
    })
    await turn()
    leaving.abort(new Error('left'))
    expect(await first).toBe('left')
    await second
    expect(await unhandledNow()).toEqual([])
    for (const { finish, inputs } of calls) finish(inputs)
  })
})

// In a program of its own: the runners take an unhandled rejection for a failure of the test.
describe('an error of the batch function is unhandled if nobody looks at it', async () => {
  const program = join(import.meta.dirname, 'forgotten-loads.ts')
  const { stdout } = await promisify(execFile)(process.execPath, [program])
  const unhandledBy = JSON.parse(stdout) as Record<string, readonly string[]>

  it.each([
    ['of a key, loaded once', ['no key']],
    ['of a key, remembered', ['no key']],
    ['of a key, in a `cacheMap` for all', ['no key', 'no key']],
    ['of a batch, remembered', ['down']],
    ['though another key of its wave was remembered', ['no key']],
    ['though a batch function of several requests has loaded it', ['no key']],
    ['but not if somebody looks, or it is primed', []],
    ['but not if the request has left', []],
  ])('%s', (what, messages) => {
    expect(unhandledBy[what]).toEqual(messages)
  })
})
