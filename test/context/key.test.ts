import { createKey, current, run, runRequest, tryCurrent } from '@heddle/context'
import { describe, expect, expectTypeOf, it } from 'vitest'

const name = createKey<string>('test.key.name')
const locale = createKey('test.key.locale', { default: 'en' })
const count = createKey<number>('test.key.count')

describe('a key', () => {
  it('has no value outside a scope, but its default', () => {
    expect(name.get()).toBeUndefined()
    expect(locale.get()).toBe('en')
    expect(locale.getOrThrow()).toBe('en')
  })

  it('has the value of the innermost run', () => {
    const seen = name.run('outer', () => [
      name.get(),
      name.run('inner', () => name.get()),
      name.get(),
    ])
    expect(seen).toEqual(['outer', 'inner', 'outer'])
    expect(name.get()).toBeUndefined()
  })

  it('keeps its value across awaits, timers and immediates', async () => {
    const seen = await name.run('kept', async () => {
      await Promise.resolve()
      const first = name.get()
      await new Promise((resolve) => setTimeout(resolve, 1))
      const second = name.get()
      return [
        first,
        second,
        await new Promise((resolve) => setImmediate(() => resolve(name.get()))),
      ]
    })
    expect(seen).toEqual(['kept', 'kept', 'kept'])
  })

  it('takes `undefined` as no value', () => {
    runRequest({ entries: [locale.of('de')] }, (scope) => {
      expect([locale.get(), scope.has(locale)]).toEqual(['de', true])
      locale.set(undefined as unknown as string)
      expect([locale.get(), scope.has(locale)]).toEqual(['en', false])
    })
  })

  it('infers its type, and is never undefined with a default', () => {
    expectTypeOf(name.get()).toEqualTypeOf<string | undefined>()
    expectTypeOf(name.getOrThrow).returns.toEqualTypeOf<string>()
    expectTypeOf(locale.get()).toEqualTypeOf<string>()
  })
})

describe('set', () => {
  it('is seen by everything that runs in the scope, awaited or not', async () => {
    const seen = await runRequest({}, async () => {
      const later = Promise.resolve().then(() => name.get())
      name.set('set')
      await Promise.resolve()
      return [await later, name.get()]
    })
    expect(seen).toEqual(['set', 'set'])
  })

  it('is not seen by siblings, the parent, or children that were opened before', () => {
    runRequest({ entries: [count.of(1)] }, () => {
      const seen: unknown[] = []
      let first: (() => void) | undefined
      run([], () => {
        first = () => seen.push(current().get(count))
        const mine = current()
        count.set(2)
        expect(mine.get(count)).toBe(2)
      })
      expect(count.get()).toBe(1)
      const before = run([], () => current())
      count.set(3)
      const after = run([], () => current())
      first?.()
      expect(seen).toEqual([3])
      expect([before.get(count), after.get(count), count.get()]).toEqual([1, 3, 3])
    })
  })

  it('keeps concurrent requests apart', async () => {
    const request = (id: string): Promise<unknown[]> =>
      runRequest({ id }, async (scope) => {
        name.setOnce(id)
        for (let n = 0; n < 5; n += 1) await new Promise((resolve) => setImmediate(resolve))
        return [name.get(), tryCurrent()?.id, scope.id]
      })
    const ids = Array.from({ length: 50 }, (_, n) => `r${n}`)
    expect(await Promise.all(ids.map(request))).toEqual(ids.map((id) => [id, id, id]))
  })
})

describe('setOnce', () => {
  it('asserts that the scope has no value yet, an inherited one included', () => {
    runRequest({}, () => {
      name.setOnce('first')
      expect(() => name.setOnce('second')).toThrow(expect.objectContaining({ code: 'ALREADY_SET' }))
      expect(name.get()).toBe('first')
      run([], () => {
        expect(() => name.setOnce('third')).toThrow(
          expect.objectContaining({ code: 'ALREADY_SET' }),
        )
      })
    })
  })
})
