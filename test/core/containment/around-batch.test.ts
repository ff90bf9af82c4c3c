import { createKey, run as runWith } from '@heddle/context'
import { type BatcherHooks, createBatcher, instrument } from '@heddle/core'
import { describe, expect, it } from 'vitest'

import { ended, turn } from '../../support/crank.ts'
import { watchProcess } from '../../support/faults.ts'

describe('aroundBatch', () => {
  const failure = new Error('no database')
  const results: readonly [string, () => Promise<readonly number[]>, unknown][] = [
    ['a result', () => Promise.resolve([1]), 1],
    ['a failure', () => Promise.reject(failure), 'BATCH_FAILED'],
  ]
  const hooks: readonly [string, NonNullable<BatcherHooks['aroundBatch']>, boolean][] = [
    ['drops the promise of `next`', async (_batch, _members, next) => void next(), false],
    ['swallows its failure', (_b, _m, next) => next().catch(() => {}), false],
    ['hands its failure on', (_b, _m, next) => next().finally(() => {}), false],
    [
      'returns before it',
      (_b, _m, next) => {
        void next()
        return undefined as unknown as Promise<void>
      },
      false,
    ],
    [
      'calls it late',
      async (_b, _m, next) => {
        await turn()
        await next()
      },
      false,
    ],
    [
      'throws undefined after it',
      async (_b, _m, next) => {
        await next().catch(() => {})
        // oxlint-disable-next-line typescript/only-throw-error
        throw undefined
      },
      true,
    ],
    [
      'freezes what it is given',
      (batch, members, next) => {
        Object.freeze(batch)
        Object.freeze(members)
        return next()
      },
      false,
    ],
    [
      'is a thenable that throws',
      () =>
        ({
          // oxlint-disable-next-line unicorn/no-thenable
          then() {
            throw new Error('thenable')
          },
        }) as unknown as Promise<void>,
      true,
    ],
  ]

  it.each(
    hooks.flatMap(([name, hook, isReported]) =>
      results.map(([what, run, outcome]) => ({ name, hook, isReported, what, run, outcome })),
    ),
  )('that $name leaves $what as it is', async ({ hook, isReported, run, outcome }) => {
    using watch = watchProcess()
    const seen: unknown[] = []
    // On both sides, and each of them hears how the batch ended.
    const beside: BatcherHooks = {
      aroundBatch: (batch, _members, next) =>
        next().then(
          () => void seen.push(typeof batch.endedAt),
          (error: unknown) => void seen.push(error),
        ),
    }
    using _inner = instrument(beside)
    using _broken = instrument({ name: 'broken', aroundBatch: hook })
    using _outer = instrument(beside)
    let calls = 0
    const batcher = createBatcher<number, number>({
      name: 'robust',
      run: () => {
        calls += 1
        return run()
      },
    })
    expect(await ended(batcher.submit(1))).toBe(outcome)
    await turn()
    await turn()
    expect(calls).toBe(1)
    expect(seen).toEqual(outcome === 1 ? ['number', 'number'] : [failure, failure])
    expect(watch.culprits).toEqual(isReported ? ['broken aroundBatch'] : [])
    expect(watch.uncaught).toEqual([])
  })

  it('whose `next` is called by the batch function itself runs it once', async () => {
    let next: (() => unknown) | undefined
    using _ = instrument({
      aroundBatch(_batch, _members, given) {
        next = given
        return given()
      },
    })
    let calls = 0
    const batcher = createBatcher<number, number>({
      name: 'robust',
      run(ns) {
        calls += 1
        next?.()
        return ns
      },
    })
    expect(await batcher.submit(1)).toBe(1)
    expect(calls).toBe(1)
  })

  it('that fails takes nothing from what another makes active', async () => {
    const name = createKey<string>('test.containment.name')
    const seen: unknown[] = []
    const fail = (): never => {
      throw new Error('hook')
    }
    using _first = instrument({ aroundBatch: fail })
    using _second = instrument({
      aroundBatch: (_batch, _members, next) => runWith([name.of('second')], next),
    })
    using _third = instrument({ aroundBatch: fail })
    const batcher = createBatcher<number, number>({
      name: 'robust',
      run(ns) {
        seen.push(name.get())
        return ns
      },
    })
    await batcher.submit(1)
    expect(seen).toEqual(['second'])
  })
})
