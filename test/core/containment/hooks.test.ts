import {
  type BatcherHooks,
  createBatcher,
  createContinuousBatcher,
  createStreamBatcher,
  instrument,
} from '@heddle/core'
import { crank, virtualClock } from '@heddle/core/testing'
import { describe, expect, it } from 'vitest'

import { echo, ended, turn } from '../../support/crank.ts'
import { thrown, watchProcess } from '../../support/faults.ts'

type Hook = 'enabled' | 'onSubmit' | 'aroundBatch' | 'onSettle'

const HOOKS: readonly Hook[] = ['enabled', 'onSubmit', 'aroundBatch', 'onSettle']

/** An instrument of which one hook fails, each time. */
function failing(hook: Hook, fail: () => unknown): Disposable {
  return instrument({ name: 'broken', [hook]: fail })
}

/** Every way in which a hook can fail. */
const FAILURES: readonly [string, (make: () => unknown) => () => unknown][] = [
  [
    'throws',
    (make) => () => {
      throw make()
    },
  ],
  // oxlint-disable-next-line typescript/prefer-promise-reject-errors
  ['rejects with', (make) => () => Promise.reject(make())],
]

const cases = HOOKS.flatMap((hook) =>
  FAILURES.flatMap(([how, failure]) =>
    Object.entries(thrown).map(
      ([what, make]) => [`${hook} ${how} ${what}`, hook, failure(make)] as const,
    ),
  ),
)

describe.each(cases)('%s', (_name, hook, fail) => {
  it('and every caller has what it would have without it (R11)', async () => {
    using watch = watchProcess()
    using clock = virtualClock()
    using _ = failing(hook, fail)
    const { run, calls } = crank<number>()
    const batcher = createBatcher({ name: 'robust', run, maxQueueSize: 4, maxBatchSize: 2 })
    const client = new AbortController()
    const given = [
      batcher.submit(1),
      batcher.submit(2),
      batcher.submit(3, { timeout: 5 }),
      batcher.submit(4, { signal: client.signal }),
      batcher.submit(5),
    ].map(ended)
    await clock.settle()
    client.abort(new Error('left'))
    await clock.advance(5)
    calls[0]?.finish([1, 2])
    await clock.settle()
    expect(await Promise.all(given)).toEqual([1, 2, 'DEADLINE_EXCEEDED', 'left', 'QUEUE_FULL'])

    const failed = [batcher.submit(6), batcher.submit(7, { timeout: 5 })].map(ended)
    await clock.advance(5)
    calls[1]?.fail(new Error('no database'))
    await clock.settle()
    expect(await Promise.all(failed)).toEqual(['BATCH_FAILED', 'DEADLINE_EXCEEDED'])

    const later = batcher.submit(8)
    await clock.settle()
    calls[2]?.finish([8])
    expect(await later).toBe(8)
    await batcher.close()
    expect(batcher.stats()).toMatchObject({
      submitted: 8,
      fulfilled: 3,
      rejected: { QUEUE_FULL: 1, DEADLINE_EXCEEDED: 2, BATCH_FAILED: 1, aborted: 1 },
      queued: 0,
      inFlight: 0,
    })
    await turn()
    expect(watch.culprits).toEqual([`broken ${hook}`])
    expect(watch.warnings[0]?.message).toMatch(`\`${hook}\` of \`broken\` failed`)
    expect(watch.uncaught).toEqual([])
  })

  it('on every kind of batcher', async () => {
    using watch = watchProcess()
    using _ = failing(hook, fail)
    const shared = createBatcher<number, number>({
      name: 'shared',
      dedupeBy: String,
      onFailure: 'bisect',
      run: (ns) => (ns.includes(3) ? Promise.reject(new Error('three')) : ns),
    })
    const streams = createStreamBatcher<number, number>({
      name: 'streams',
      async *run(ns) {
        for (const [index, n] of ns.entries()) yield [index, n === 3 ? new Error('three') : n]
      },
    })
    const steps = createContinuousBatcher<number, number, number>({
      name: 'steps',
      start: (n) => n,
      step: (active) =>
        active.map(({ state }) =>
          state === 3 ? { error: new Error('three') } : { chunk: state, done: true },
        ),
    })
    const all = async (chunks: AsyncIterable<number>): Promise<number[]> => {
      const taken: number[] = []
      for await (const chunk of chunks) taken.push(chunk)
      return taken
    }
    const given = [
      ...[1, 1, 2, 3].map((n) => shared.submit(n)),
      ...[1, 3].map((n) => all(streams.stream(n))),
      ...[1, 3].map((n) => all(steps.stream(n))),
    ]
    expect(await Promise.all(given.map(ended))).toEqual([
      1,
      1,
      2,
      'BATCH_FAILED',
      [1],
      'three',
      [1],
      'three',
    ])
    for (const batcher of [shared, streams, steps]) {
      await batcher.close()
      expect(batcher.stats()).toMatchObject({ queued: 0, inFlight: 0 })
    }
    await turn()
    expect(watch.culprits).toEqual([`broken ${hook}`])
    expect(watch.uncaught).toEqual([])
  })
})

describe('hooks that cannot be read', () => {
  it.each(HOOKS)('a getter of `%s` that throws changes nothing', async (hook) => {
    using watch = watchProcess()
    using _ = instrument(
      Object.defineProperty({}, hook, {
        get() {
          throw new Error('getter')
        },
      }),
    )
    const { run, batches } = echo<number>()
    const batcher = createBatcher({ name: 'robust', run })
    expect(await Promise.all([1, 2].map((n) => batcher.submit(n)))).toEqual([1, 2])
    expect(await batcher.submit(3)).toBe(3)
    expect(batches).toEqual([[1, 2], [3]])
    await turn()
    // Without a name, it is the hook that is named.
    expect(watch.culprits).toEqual([hook])
    expect(watch.uncaught).toEqual([])
  })

  it('a revoked Proxy changes nothing', async () => {
    using watch = watchProcess()
    const { proxy, revoke } = Proxy.revocable<BatcherHooks>({ onSubmit: () => {} }, {})
    using _ = instrument(proxy)
    const batcher = createBatcher({ name: 'robust', run: echo<number>().run })
    expect(await batcher.submit(1)).toBe(1)
    revoke()
    expect(await batcher.submit(2)).toBe(2)
    expect(watch.culprits).toEqual(['enabled'])
  })

  it.each([undefined, null, 'hooks', 1])('%s is refused where it is added', (hooks) => {
    expect(() => instrument(hooks as unknown as BatcherHooks)).toThrow(
      'instrument(): Expected an object of hooks, got',
    )
  })
})

describe('a hook that submits', () => {
  it.each(['onSubmit', 'onSettle'] as const)(
    'in `%s` is not called for what it submits',
    async (hook) => {
      using watch = watchProcess()
      const { run, batches } = echo<number>()
      const batcher = createBatcher({ name: 'app', run })
      const audit = createBatcher({ name: 'audit', run })
      let calls = 0
      const others: string[] = []
      using _ = instrument({
        [hook]: () => {
          calls += 1
          void audit.submit(calls)
        },
      })
      using _other = instrument({ onSubmit: (item) => others.push(item.batcher) })
      expect(await batcher.submit(0)).toBe(0)
      await audit.drain()
      expect(batches.filter(([n]) => n === 0)).toEqual([[0]])
      expect(calls).toBe(1)
      expect(audit.stats().submitted).toBe(calls)
      // Other instruments see it.
      expect(others.filter((name) => name === 'audit')).toHaveLength(calls)
      expect(watch.uncaught).toEqual([])
    },
  )
})

describe('onTiming', () => {
  it('is not changed by a hook that writes into what it is given', async () => {
    using _ = instrument({
      onSettle({ timing }) {
        Object.assign(timing ?? {}, { batchId: 'of the hook' })
      },
    })
    const batcher = createBatcher({ name: 'timed', run: echo<number>().run })
    const ids: (() => string)[] = []
    await batcher.submit(1, { onTiming: (timing) => ids.push(() => timing.batchId) })
    expect(ids.map((id) => id())).toEqual(['timed#1'])
  })

  it.each(
    FAILURES.flatMap(([how, failure]) =>
      Object.entries(thrown).map(([what, make]) => [`${how} ${what}`, failure(make)] as const),
    ),
  )('that %s is reported and changes nothing', async (_name, fail) => {
    using watch = watchProcess()
    const batcher = createBatcher({ name: 'timed', run: echo<number>().run })
    expect(await batcher.submit(1, { onTiming: fail })).toBe(1)
    expect(await batcher.submit(2)).toBe(2)
    await turn()
    expect(watch.warnings.map(({ code }) => code)).toEqual(['CALLBACK_FAILED'])
    expect(watch.uncaught).toEqual([])
  })
})
