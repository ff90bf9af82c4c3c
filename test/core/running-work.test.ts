/**
 * R10: a caller joins work that runs only if the batch would have seen the identical values, had it been
 * there at the start. Each answer says what the batch function saw, so that a caller who gets another's
 * values is told so.
 */
import { type ContextEntry, createKey, run as runIn, runRequest, type Scope } from '@heddle/context'
import { type BatcherOptions, type BatchItem, createBatcher } from '@heddle/core'
import { crank, virtualClock } from '@heddle/core/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { ended } from '../support/crank.ts'

type Roles = ReadonlySet<string>

const hidden = createKey<string>('test.running.hidden')
const user = createKey<string>('test.running.user', { batch: 'same' })
const level = createKey<number>('test.running.level', { batch: 'same' })
const tenant = createKey<string>('test.running.tenant', { batch: 'partition' })
/** What all of them may do. */
const roles = createKey<Roles>('test.running.roles', {
  batch: ([first = none, ...others]) =>
    new Set([...first].filter((role) => others.every((other) => other?.has(role)))),
})
/** What one of them may do. */
const flags = createKey<Roles>('test.running.flags', {
  batch: (all) => new Set(all.flatMap((one) => [...(one ?? none)])),
})
const none: Roles = new Set()

let clock: ReturnType<typeof virtualClock>
beforeEach(() => {
  clock = virtualClock()
})
afterEach(() => clock[Symbol.dispose]())

function documents(options: Partial<BatcherOptions<string, string>> = {}) {
  const { run, calls } = crank<string>()
  const shown: string[] = []
  const batcher = createBatcher<string, string>({
    name: 'documents',
    maxConcurrency: 9,
    dedupeBy: (id) => id,
    run(ids, batch) {
      shown.push([user.get(), ...(roles.get() ?? []), ...(flags.get() ?? [])].join(' '))
      return run(ids, batch)
    },
    ...options,
  })
  return {
    batcher,
    calls,
    /** The batches that were made. */
    inputs: () => calls.map((call) => call.inputs.join(' ')),
    /** Ends batch `n`: each document tells what the batch saw. */
    finish: (n: number) =>
      calls[n]?.finish(calls[n].inputs.map((id) => `${id} for ${shown[n]} in #${n}`)),
  }
}

function as<R>(entries: Iterable<ContextEntry<any>>, fn: (scope: Scope) => R): R {
  return runRequest({ entries }, fn)
}

const admin: Roles = new Set(['admin', 'read'])
const reader: Roles = new Set(['read'])

describe('a caller whose values differ', () => {
  it.each([
    ['a `same` key', [user.of('alice')], [user.of('bob')]],
    ['a `same` key that only the first has', [user.of('alice')], []],
    ['a `same` key that only the second has', [], [user.of('bob')]],
    ['a merge key', [roles.of(admin)], [roles.of(reader)]],
    ['a merge key that only the first has', [flags.of(admin)], []],
    [
      'a merge key with equal values that are two objects',
      [roles.of(admin)],
      [roles.of(new Set(admin))],
    ],
    ['the sign of zero', [level.of(0)], [level.of(-0)]],
    ['a `partition` key', [tenant.of('acme')], [tenant.of('evil')]],
    [
      'one of several keys',
      [user.of('alice'), roles.of(admin)],
      [user.of('alice'), roles.of(reader)],
    ],
  ])('in %s has new work', async (_case, first, second) => {
    const { batcher, inputs, finish } = documents()
    const one = as(first, () => batcher.submit('d'))
    await clock.settle()
    const two = as(second, () => batcher.submit('d'))
    await clock.settle()
    expect(inputs()).toEqual(['d', 'd'])
    finish(1)
    finish(0)
    expect(await one).toMatch(/#0$/)
    expect(await two).toMatch(/#1$/)
  })

  it('reads nothing of those who were there', async () => {
    const { batcher, finish } = documents()
    const alice = as([user.of('alice'), roles.of(admin)], () => batcher.submit('d'))
    await clock.settle()
    const bob = as([user.of('bob'), roles.of(reader)], () => batcher.submit('d'))
    await clock.settle()
    finish(0)
    finish(1)
    expect(await Promise.all([alice, bob])).toEqual([
      'd for alice admin read in #0',
      'd for bob read in #1',
    ])
  })

  it('is compared with everybody in the batch, not with those of its own document alone', async () => {
    const { batcher, inputs, finish } = documents()
    const alice = as([flags.of(reader)], () => batcher.submit('d'))
    const root = as([flags.of(admin)], () => batcher.submit('other'))
    await clock.settle()
    const second = as([flags.of(reader)], () => batcher.submit('d'))
    await clock.settle()
    expect(inputs()).toEqual(['d other', 'd'])
    finish(0)
    finish(1)
    expect(await Promise.all([alice, root, second])).toEqual([
      'd for  read admin in #0',
      'other for  read admin in #0',
      'd for  read in #1',
    ])
  })

  it('is compared by its values at the submit', async () => {
    const { batcher, inputs, finish } = documents()
    const submits = await Promise.all(
      ['alice', 'alice'].map((name, n) =>
        as([user.of(name)], async () => {
          const answer = batcher.submit('d')
          user.set(`${name} ${n}`)
          await clock.settle()
          return { answer }
        }),
      ),
    )
    expect(inputs()).toEqual(['d'])
    finish(0)
    const answers = await Promise.all(submits.map(({ answer }) => answer))
    expect(answers).toEqual(['d for alice in #0', 'd for alice in #0'])
  })
})

describe('a caller whose values are identical', () => {
  it('joins, whatever it has in hidden keys, in a child scope or outside any', async () => {
    const { batcher, inputs, finish } = documents()
    const values = [user.of('alice'), roles.of(admin), tenant.of('acme')]
    const first = as([...values, hidden.of('1')], () => batcher.submit('d'))
    const free = batcher.submit('free')
    await clock.settle()
    const joined = [
      as([...values, hidden.of('2')], () => batcher.submit('d')),
      as([], () => runIn(values, () => batcher.submit('d'))),
      as([hidden.of('3')], () => batcher.submit('free')),
    ]
    await clock.settle()
    expect(inputs().toSorted()).toEqual(['d', 'free'])
    finish(0)
    finish(1)
    expect(new Set(await Promise.all([first, free, ...joined])).size).toBe(2)
  })

  it('joins what runs, rather than what waits', async () => {
    const { batcher, calls, inputs, finish } = documents({ maxConcurrency: 1 })
    const alice = as([user.of('alice')], () => batcher.submit('d'))
    await clock.settle()
    const bob = as([user.of('bob')], () => batcher.submit('d'))
    const again = as([user.of('alice')], () => batcher.submit('d'))
    const carol = as([user.of('carol')], () => batcher.submit('d'))
    expect(batcher.stats()).toMatchObject({ queued: 1, duplicates: 2 })
    finish(0)
    expect(await Promise.all([alice, again])).toEqual(['d for alice in #0', 'd for alice in #0'])
    await clock.settle()
    expect(inputs()).toEqual(['d', 'd'])
    expect(calls[1]?.batch.items[0]?.waiters.length).toBe(2)
    finish(1)
    expect(await Promise.all([bob, carol])).toEqual(['d for  in #1', 'd for  in #1'])
  })

  it('joins although those who were there have left, and nobody else does', async () => {
    const { batcher, inputs, finish } = documents()
    const leaver = new AbortController()
    const alice = as([user.of('alice')], () =>
      ended(batcher.submit('d', { signal: leaver.signal })),
    )
    await clock.settle()
    const second = as([user.of('alice')], () => batcher.submit('d'))
    leaver.abort(new Error('left'))
    const third = as([user.of('alice')], () => batcher.submit('d'))
    const bob = as([user.of('bob')], () => batcher.submit('d'))
    await clock.settle()
    expect(inputs()).toEqual(['d', 'd'])
    finish(1)
    finish(0)
    expect(await Promise.all([alice, second, third, bob])).toEqual([
      'left',
      'd for alice in #0',
      'd for alice in #0',
      'd for bob in #1',
    ])
  })
})

describe('work for which the batch function has entered the context of its only caller', () => {
  const alice = [user.of('alice'), hidden.of('a secret')]
  const bob = [user.of('alice'), hidden.of('nothing')]

  it.each<[string, (item: BatchItem<string>) => unknown]>([
    ['`item.run`', (item) => item.run(() => hidden.get())],
    ['`item.get` of a hidden key', (item) => item.get(hidden)],
    ['`item.scope`', (item) => item.scope?.get(hidden)],
    ['`run` of `item.waiters`', (item) => item.waiters[0]?.run(() => hidden.get())],
    ['`scope` of `item.waiters`', (item) => item.waiters[0]?.scope?.get(hidden)],
    ['`wrap` of `item.waiters`', (item) => item.waiters[0]?.wrap(() => hidden.get())()],
  ])('with %s is for that caller alone', async (_case, enter) => {
    const { batcher, calls, inputs } = documents()
    const one = as(alice, () => batcher.submit('d'))
    await clock.settle()
    const [item] = calls[0]?.batch.items ?? []
    const secret = String(item && enter(item))
    const two = as(bob, () => batcher.submit('d'))
    await clock.settle()
    expect(inputs()).toEqual(['d', 'd'])
    calls[0]?.finish([secret])
    calls[1]?.finish(['public'])
    expect(await Promise.all([one, two])).toEqual(['a secret', 'public'])
  })

  it('is for that caller alone where a shared key has another value than at the submit', async () => {
    const { batcher, calls, inputs, finish } = documents()
    const one = await as(alice, async () => {
      const answer = batcher.submit('d')
      await clock.settle()
      user.set('root')
      return { answer }
    })
    expect(calls[0]?.batch.items[0]?.get(user)).toBe('root')
    const two = as(bob, () => batcher.submit('d'))
    await clock.settle()
    expect(inputs()).toEqual(['d', 'd'])
    finish(0)
    finish(1)
    await Promise.all([one.answer, two])
  })

  it('can be joined where it has read what a batch may show, or entered the scope of several', async () => {
    const { batcher, calls, inputs, finish } = documents()
    const answers = [as(alice, () => batcher.submit('d')), as(alice, () => batcher.submit('both'))]
    answers.push(as(bob, () => batcher.submit('both')))
    await clock.settle()
    const [d, both] = calls[0]?.batch.items ?? []
    expect([d?.get(user), d?.waiters.length]).toEqual(['alice', 1])
    expect(both?.run(() => [user.get(), hidden.get()])).toEqual(['alice', undefined])
    for (const id of ['d', 'both']) answers.push(as(bob, () => batcher.submit(id)))
    await clock.settle()
    expect(inputs()).toEqual(['d both'])
    finish(0)
    expect((await Promise.all(answers)).length).toBe(5)
  })
})

describe('the same work of several groups', () => {
  it('ends for each on its own: the end of one does not end what joins another', async () => {
    const { batcher, inputs, finish } = documents({ maxConcurrency: 1 })
    const alice = as([user.of('alice')], () => batcher.submit('d'))
    await clock.settle()
    const bob = as([user.of('bob')], () => batcher.submit('d'))
    finish(0)
    expect(await alice).toBe('d for alice in #0')
    // Hers is over, and his waits still.
    const again = as([user.of('bob')], () => batcher.submit('d'))
    expect(batcher.stats()).toMatchObject({ queued: 1, duplicates: 1 })
    await clock.settle()
    const running = as([user.of('bob')], () => batcher.submit('d'))
    finish(1)
    expect(await Promise.all([bob, again, running])).toEqual([
      'd for bob in #1',
      'd for bob in #1',
      'd for bob in #1',
    ])
    const last = as([user.of('bob')], () => batcher.submit('d'))
    await clock.settle()
    expect(inputs()).toEqual(['d', 'd', 'd'])
    finish(2)
    expect(await last).toBe('d for bob in #2')
    expect(batcher.stats()).toMatchObject({ queued: 0, duplicates: 0, inFlight: 0 })
  })

  it('is compared anew when a half of a failed batch runs again', async () => {
    const { batcher, calls, inputs, finish } = documents({ onFailure: 'bisect' })
    const alice = as([user.of('alice')], () => batcher.submit('a'))
    const bob = as([user.of('bob')], () => batcher.submit('b'))
    await clock.settle()
    calls[0]?.fail(new Error('one of them'))
    await clock.settle()
    const joined = as([user.of('alice')], () => batcher.submit('a'))
    const refused = as([user.of('bob')], () => batcher.submit('a'))
    await clock.settle()
    expect(inputs()).toEqual(['a b', 'a', 'a'])
    for (const n of [1, 2, 3]) {
      finish(n)
      await clock.settle()
    }
    expect(await Promise.all([alice, joined, refused, bob])).toEqual([
      'a for alice in #1',
      'a for alice in #1',
      'a for bob in #2',
      'b for bob in #3',
    ])
  })
})
