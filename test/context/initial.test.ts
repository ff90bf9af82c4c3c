/** Keys whose values are objects: one for each request, never one for all. */

import { ContextError, createKey, current, run, runRequest, tryCurrent } from '@heddle/context'
import { createBatcher } from '@heddle/core'
import { describe, expect, it } from 'vitest'

import { collectedWarnings } from '../support/warnings.ts'

const warnings = collectedWarnings()

interface Notes {
  startedAt?: number
}

const notes = createKey<Notes>('test.initial.notes', { initial: () => ({}) })

describe('a key with `initial`', () => {
  it('has a value of its own in each request, made once, at the first `get`', () => {
    let made = 0
    const counted = createKey('test.initial.counted', { initial: () => ({ number: (made += 1) }) })
    runRequest({}, (scope) => {
      expect([made, scope.has(counted)]).toEqual([0, false])
      const first = counted.get()
      expect([counted.get(), counted.getOrThrow(), scope.get(counted)]).toEqual([
        first,
        first,
        first,
      ])
      expect([made, scope.has(counted)]).toEqual([1, true])
    })
    expect(runRequest({}, () => counted.get()?.number)).toBe(2)
  })

  /**
   * The bug that started this project (LitServe, issue 450): all requests of a batch had one dict, so one
   * read the start time that another had written. There each request asserts that nobody has been here.
   */
  it('is empty when a request first looks at it, batched or not', async () => {
    const decode = createBatcher<number, number>({
      name: 'decode',
      run: (inputs, { items }) => {
        for (const [index, item] of items.entries()) {
          const own = item.get(notes) as Notes
          expect(own.startedAt).toBe(inputs[index])
        }
        return inputs
      },
    })
    const elapsed = await Promise.all(
      [1, 2, 3].map((start) =>
        runRequest({}, async () => {
          expect('startedAt' in notes.getOrThrow()).toBe(false)
          notes.getOrThrow().startedAt = start
          await decode.submit(start)
          return notes.getOrThrow().startedAt
        }),
      ),
    )
    expect(elapsed).toEqual([1, 2, 3])
    expect(decode.stats().meanBatchSize).toBe(3)
  })

  it('has one value in a request and its child scopes, wherever it is first read', () => {
    runRequest({}, () => {
      const inChild = run([], () => run([], () => notes.get()))
      expect(notes.get()).toBe(inChild)
      expect(run([], () => notes.get())).toBe(inChild)
    })
  })

  it('is shared with a child that was opened before its first `get`', () => {
    runRequest({}, () => {
      run([], () => {
        const child = current()
        const outer = child.parent?.get(notes)
        expect(notes.get()).toBe(outer)
      })
    })
  })

  it('has a value for each child scope with `child: drop`', () => {
    const own = createKey('test.initial.own', { initial: () => ({}), child: 'drop' })
    runRequest({}, () => {
      const outer = own.get()
      expect(run([], () => own.get())).not.toBe(outer)
      expect(own.get()).toBe(outer)
    })
  })

  it('keeps `null`, and asks again after `undefined`', () => {
    const values: (null | undefined | number)[] = [undefined, null, 1]
    const odd = createKey('test.initial.odd', { initial: () => values.shift() })
    runRequest({}, () => {
      expect([odd.get(), odd.get(), run([], () => odd.get())]).toEqual([undefined, null, null])
    })
  })

  it('makes none outside any scope, in a batch, or after the end', async () => {
    expect(notes.get()).toBeUndefined()
    const code = (): unknown => {
      try {
        return notes.getOrThrow()
      } catch (error) {
        return error instanceof ContextError && error.code
      }
    }
    expect(code()).toBe('NO_SCOPE')
    const batcher = createBatcher<number, unknown>({
      name: 'in a batch',
      run: (ids) => ids.map(() => [notes.get(), code()]),
    })
    expect(await runRequest({}, () => batcher.submit(1))).toEqual([undefined, 'IN_BATCH'])
    const closed = runRequest({}, () => tryCurrent())
    expect(() => closed?.get(notes)).toThrow('was closed')
  })

  it('is refused beside `default`, and if it is no function', () => {
    expect(() => createKey('test.both', { default: 1, initial: () => 1 })).toThrow('got both')
    expect(() => createKey('test.none', { initial: {} as never })).toThrow('to be a function')
  })
})

describe('an object as `default`', () => {
  it('is reported once, with the cure, unless nobody can change it', () => {
    createKey('test.default.shared', { default: {} })
    createKey('test.default.list', { default: [] as string[] })
    createKey('test.default.frozen', { default: Object.freeze({}) })
    createKey('test.default.text', { default: 'en' })
    createKey('test.default.nothing', { default: null })
    expect(warnings.map(({ code, topic }) => [code, topic])).toEqual([
      ['SHARED_DEFAULT', 'test.default.shared'],
      ['SHARED_DEFAULT', 'test.default.list'],
    ])
    expect(warnings[0]?.message).toContain('`initial: () => …`')
  })
})
