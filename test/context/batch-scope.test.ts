import { AsyncLocalStorage } from 'node:async_hooks'

import {
  type ContextEntry,
  createKey,
  openBatchScope,
  run,
  runRequest,
  Snapshot,
  tryCurrent,
} from '@heddle/context'
import { describe, expect, it } from 'vitest'

const hidden = createKey<string>('test.batch.hidden')
const hiddenWithDefault = createKey('test.batch.default', { default: 'fallback' })
const tenant = createKey<string>('test.batch.tenant', { batch: 'partition' })
const same = createKey<string>('test.batch.same', { batch: 'same' })
const budget = createKey<number>('test.batch.budget', {
  batch: (values) => values.reduce<number>((sum, value) => sum + (value ?? 0), 0),
})
const foreign = new AsyncLocalStorage<string>()

/** Runs `fn` in a batch whose members have these entries. */
function inBatch<R>(members: readonly (readonly ContextEntry<any>[])[], fn: () => R): R {
  const snapshots = members.map((entries) => run(entries, () => Snapshot.capture()))
  const scope = openBatchScope(snapshots, { name: 'test#1' })
  try {
    return scope.run(fn)
  } finally {
    scope.close()
  }
}

describe('a batch scope', () => {
  it('hides what its members do not share by rule', () => {
    const seen = inBatch([[hidden.of('a'), hiddenWithDefault.of('x')], [hidden.of('a')]], () => [
      hidden.get(),
      hiddenWithDefault.get(),
      tryCurrent()?.kind,
      tryCurrent()?.id,
    ])
    expect(seen).toEqual([undefined, 'fallback', 'batch', 'test#1'])
  })

  it('hides the value of a lone member as well: no special case for one', () => {
    expect(inBatch([[hidden.of('a')]], () => hidden.get())).toBeUndefined()
  })

  it('shows a partition key that the members agree in', () => {
    const acme = [tenant.of('acme')]
    expect(inBatch([acme, acme], () => tenant.get())).toBe('acme')
    expect(inBatch([acme, [tenant.of('evil')]], () => tenant.get())).toBeUndefined()
    expect(inBatch([acme, []], () => tenant.get())).toBeUndefined()
  })

  it('shows a `same` key only if all members have the same', () => {
    expect(inBatch([[same.of('x')], [same.of('x')]], () => same.get())).toBe('x')
    expect(inBatch([[same.of('x')], [same.of('y')]], () => same.get())).toBeUndefined()
    expect(inBatch([[same.of('x')], []], () => same.get())).toBeUndefined()
  })

  it('shows what a merge function makes of the members’ values, undefined for one without', () => {
    expect(inBatch([[budget.of(2)], [], [budget.of(3)]], () => budget.get())).toBe(5)
  })

  it('takes a member whose scope has closed as one without values', () => {
    const closed = runRequest({ entries: [same.of('x'), budget.of(2)] }, () => Snapshot.capture())
    const open = run([budget.of(3)], () => Snapshot.capture())
    const scope = openBatchScope([closed, open], { name: 'test#2' })
    expect(scope.run(() => [same.get(), budget.get()])).toEqual([undefined, 3])
    scope.close()
  })

  it('runs merge functions on neutral ground', () => {
    const seen: unknown[] = []
    createKey<number>('test.batch.curious', {
      batch: () => {
        seen.push(tryCurrent(), foreign.getStore())
        return undefined
      },
    })
    foreign.run('caller', () => run([], () => inBatch([[]], () => {})))
    expect(seen).toEqual([undefined, undefined])
  })

  it('is on neutral ground', () => {
    const seen = foreign.run('caller', () => inBatch([[]], () => foreign.getStore()))
    expect(seen).toBeUndefined()
  })

  it('is read-only, and says whose a hidden key is', () => {
    const inTheBatch = expect.objectContaining({ code: 'IN_BATCH' })
    inBatch([[hidden.of('a')], [hidden.of('b')]], () => {
      expect(() => hidden.getOrThrow()).toThrow(inTheBatch)
      expect(() => hidden.getOrThrow()).toThrow(
        '`test.batch.hidden` belongs to each of the 2 members',
      )
      expect(() => hidden.set('x')).toThrow(inTheBatch)
      expect(() => hidden.setOnce('x')).toThrow(inTheBatch)
      expect(() => tenant.set('x')).toThrow(inTheBatch)
      expect(hiddenWithDefault.getOrThrow()).toBe('fallback')
    })
  })

  it('may have child scopes with values of their own', () => {
    const seen = inBatch([[tenant.of('acme')]], () =>
      run([hidden.of('mine')], () => {
        const before = [hidden.get(), tenant.get()]
        hidden.set('changed')
        return [...before, hidden.get()]
      }),
    )
    expect(seen).toEqual(['mine', 'acme', 'changed'])
  })

  it('is closed when the batch function has settled', async () => {
    const late = inBatch([[tenant.of('acme')]], async () => {
      await Promise.resolve()
      return tenant.get()
    })
    await expect(late).rejects.toThrow(expect.objectContaining({ code: 'SCOPE_CLOSED' }))
  })
})
