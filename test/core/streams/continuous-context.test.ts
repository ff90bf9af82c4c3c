import { AsyncLocalStorage } from 'node:async_hooks'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'

import { createKey, watchStore, runNeutral, runRequest, tryCurrent } from '@heddle/context'
import { type ActiveItem, createContinuousBatcher, instrument } from '@heddle/core'
import { virtualClock } from '@heddle/core/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { loom } from './loom.ts'
import { drained } from './tap.ts'

const user = createKey<string>('test.continuous.user')
const tenant = createKey<string>('test.continuous.tenant', { batch: 'partition', redact: true })
const foreign = new AsyncLocalStorage<string>()

let clock: ReturnType<typeof virtualClock>
beforeEach(() => {
  clock = virtualClock()
})
afterEach(() => clock[Symbol.dispose]())

function as<R>(name: string, fn: () => R): R {
  return foreign.run(name, () => runRequest({ entries: [user.of(name)] }, fn))
}

function of<R>(name: string, fn: () => R): R {
  return runRequest({ entries: [tenant.of(name)] }, fn)
}

describe('the functions of a continuous batcher', () => {
  it('run as none of the consumers, and each consumer as itself (R1)', async () => {
    const seen: unknown[] = []
    const look = async (where: string): Promise<void> => {
      for (let n = 0; n < 2; n += 1) {
        seen.push([where, user.get(), foreign.getStore(), tryCurrent()?.kind])
        await Promise.resolve()
      }
    }
    const batcher = createContinuousBatcher<string, { left: number }, string>({
      name: 'neutral',
      maxBuffered: 1,
      start: async () => {
        await look('start')
        return { left: 3 }
      },
      step: async (active) => {
        await look('step')
        return active.map(({ state, item }) => {
          state.left -= 1
          const chunk = item.run(() => `${user.get()} ${foreign.getStore()} ${item.get(user)}`)
          return { chunk, done: state.left === 0 }
        })
      },
      end: () => look('end'),
    })
    const consumers = ['ann', 'bob'].map((name) =>
      as(name, async () => {
        const chunks: unknown[] = []
        for await (const chunk of batcher.stream(name)) {
          chunks.push([chunk, user.get(), foreign.getStore()])
        }
        return [chunks, user.get(), foreign.getStore()]
      }),
    )
    // Whoever leaves, and in whose context, ends a state, too.
    const left = as('eve', () => batcher.stream('eve'))
    await clock.settle()
    await as('mallory', async () => left.return?.())
    await clock.settle()
    const chunkOf = (name: string): unknown => [`${name} ${name} ${name}`, name, name]
    expect(await Promise.all(consumers)).toEqual(
      ['ann', 'bob'].map((name) => [Array.from({ length: 3 }, () => chunkOf(name)), name, name]),
    )
    expect(new Set(seen.map((one) => JSON.stringify(one)))).toEqual(
      new Set(
        ['start', 'step', 'end'].map((where) => JSON.stringify([where, null, null, 'batch'])),
      ),
    )
  })

  it('have an item that leads to its member until its `end` has settled', async () => {
    const work = loom<string, number>()
    const items: ActiveItem<string>[] = []
    const atEnd: unknown[] = []
    const batcher = createContinuousBatcher({
      name: 'member',
      ...work.functions,
      start: (input: string, item) => {
        items.push(item)
        return work.functions.start(input, item)
      },
      end: ({ item }) => void atEnd.push(item.run(() => user.get())),
    })
    const scopes: unknown[] = []
    const stream = as('ann', () => {
      scopes.push(tryCurrent())
      return batcher.stream('a')
    })
    await clock.advance(0)
    const [item] = items
    expect(item).toMatchObject({ input: 'a', id: 'member#1', queuedFor: 0 })
    expect(item?.scope).toBe(scopes[0])
    expect(work.now.active[0]?.item).toBe(item)
    await as('bob', async () => stream.return?.())
    expect(item?.signal.aborted).toBe(true)
    expect(item?.run(() => user.get())).toBe('ann')
    work.now.finish({ chunk: 1 })
    await clock.settle()
    expect(atEnd).toEqual(['ann'])
    expect(() => item?.run(() => user.get())).toThrow(
      expect.objectContaining({ code: 'ITEM_SETTLED' }),
    )
    expect(item?.scope).toBe(undefined)
  })

  it('see what hooks make active for a batch, the steps apart: they are of many', async () => {
    const span = new AsyncLocalStorage<string>()
    const seen: unknown[] = []
    const failures: unknown[] = []
    using _hooks = instrument({
      aroundBatch: async ({ id }, _members, next) => {
        try {
          await span.run(id, next)
        } catch (error) {
          failures.push(error)
        }
      },
    })
    const batcher = createContinuousBatcher<string, string, number>({
      name: 'spans',
      start: (input) => {
        seen.push(`start ${span.getStore()}`)
        return input
      },
      step: (active) => {
        seen.push(`step ${span.getStore()}`)
        if (active.some(({ state }) => state === 'bad')) throw new Error('bad')
        return active.map(() => ({ done: true }))
      },
      end: () => void seen.push(`end ${span.getStore()}`),
    })
    const good = drained(batcher.stream('good'))
    await clock.settle()
    const bad = drained(batcher.stream('bad'))
    await clock.settle()
    expect(await Promise.all([good, bad])).toEqual([[], ['BATCH_FAILED']])
    expect(seen).toEqual([
      'start spans#1',
      'step undefined',
      'end spans#1',
      'start spans#2',
      'step undefined',
      'end spans#2',
    ])
    expect(failures).toEqual([expect.objectContaining({ code: 'BATCH_FAILED' })])
  })

  it('are watched by the leak detector, the steps too', async () => {
    const warnings: unknown[] = []
    const note = (warning: unknown): void => void warnings.push(warning)
    subscribe('heddle:warning', note)
    using _store = watchStore({ name: 'leaky', read: () => foreign.getStore() })
    const batcher = createContinuousBatcher<string, string, number>({
      name: 'leaky',
      start: (input) => input,
      step: (active) => {
        // oxlint-disable-next-line no-restricted-properties
        foreign.enterWith('leaked')
        return active.map(() => ({ done: true }))
      },
    })
    const stream = drained(batcher.stream('a'))
    await clock.settle()
    await stream
    unsubscribe('heddle:warning', note)
    expect(warnings[0]).toMatchObject({ code: 'FOREIGN_LEAK' })
    expect((warnings[0] as Error).message).toContain('`leaky:step#1` of batcher `leaky`')
  })

  it('may not submit to their batcher while they have its last place', async () => {
    const answers: unknown[] = []
    const batcher = createContinuousBatcher<string, string, number>({
      name: 'own',
      maxActive: 1,
      start: async (input) => {
        answers.push(await drained(batcher.stream('from start')))
        return input
      },
      step: async (active) => {
        answers.push(await drained(batcher.stream('from step')))
        return active.map(() => ({ done: true }))
      },
    })
    const stream = drained(batcher.stream('a'))
    await clock.settle()
    expect(await stream).toEqual([])
    expect(answers).toEqual([['REENTRANT_SUBMIT'], ['REENTRANT_SUBMIT']])
  })
})

describe('partitions of a continuous batcher', () => {
  it('never share a step, and do not wait for each other, though nobody may read their names', async () => {
    const work = loom<string, number>()
    const seen: unknown[] = []
    const batcher = createContinuousBatcher({
      name: 'tenants',
      ...work.functions,
      step: async (active, step) => {
        seen.push([tenant.get(), active.map(({ state }) => state.input)])
        await work.functions.step(active, step)
        seen.push(tenant.get())
        return active.map(() => ({ done: true }))
      },
    })
    const streams = [
      of('acme', () => drained(batcher.stream('a1'))),
      of('evil', () => drained(batcher.stream('e1'))),
      of('acme', () => drained(batcher.stream('a2'))),
      runNeutral(() => drained(batcher.stream('nobody'))),
    ]
    await clock.settle()
    expect(seen).toEqual([
      ['acme', ['a1', 'a2']],
      ['evil', ['e1']],
      [undefined, ['nobody']],
    ])
    seen.length = 0
    for (const step of work.steps.toReversed()) step.finish()
    await clock.settle()
    expect(seen).toEqual([undefined, 'evil', 'acme'])
    await Promise.all(streams)
    expect(work.states.every(({ ends }) => ends === 1)).toBe(true)
  })

  it('are made by `partitionBy`, too, which is called once for an item', async () => {
    const work = loom<string, number>()
    const asked: string[] = []
    const batcher = createContinuousBatcher({
      name: 'models',
      ...work.functions,
      maxActive: 3,
      partitionBy: (input: string) => {
        asked.push(input)
        return input.slice(0, 1)
      },
    })
    const streams = ['a1', 'b1', 'a2', 'b2'].map((input) => drained(batcher.stream(input)))
    await clock.settle()
    const running = work.steps.map(({ inputs }) => inputs)
    expect(running).toEqual([['a1', 'a2'], ['b1']])
    work.steps[0]?.finish({ done: true }, { done: true })
    work.steps[1]?.finish({ chunk: 1 })
    await clock.settle()
    expect(work.steps.slice(2).map(({ inputs }) => inputs)).toEqual([['b1', 'b2']])
    work.now.finish({ done: true }, { done: true })
    expect(await Promise.all(streams)).toEqual([[], [1], [], []])
    expect(asked).toEqual(['a1', 'b1', 'a2', 'b2'])
  })

  it('show each step what the keys allow, of those that are in it', async () => {
    const team = createKey<string>('test.continuous.team', {
      batch: (values) => {
        if (values.length > 2 && values.includes('w')) throw new Error('w goes alone')
        return values.some((value) => value !== undefined) ? values.join('+') : undefined
      },
    })
    const work = loom<string, number>()
    const seen: unknown[] = []
    const batcher = createContinuousBatcher({
      name: 'merged',
      ...work.functions,
      step: (active, step) => {
        seen.push(team.get())
        return work.functions.step(active, step)
      },
    })
    const start = (name: string): Promise<unknown[]> =>
      runRequest({ entries: [team.of(name)] }, () => drained(batcher.stream(name)))
    const streams = [start('x'), start('y')]
    await clock.settle()
    const z = start('z')
    await clock.settle()
    work.now.finish({ done: true }, { chunk: 1 })
    await clock.settle()
    expect(seen).toEqual(['x+y', 'y+z'])
    const more = start('w')
    await clock.settle()
    work.now.finish({ chunk: 2 }, { chunk: 3 })
    await clock.settle()
    // The merge throws: it is the step that has failed.
    expect(await Promise.all([...streams, z, more])).toEqual([
      [],
      [1, 2, 'BATCH_FAILED'],
      [3, 'BATCH_FAILED'],
      ['BATCH_FAILED'],
    ])
    expect(work.states.map(({ ends }) => ends)).toEqual([1, 1, 1, 1])
  })
})
