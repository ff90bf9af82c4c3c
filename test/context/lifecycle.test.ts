import { AsyncLocalStorage } from 'node:async_hooks'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'

import { createKey, current, run, runRequest, tryCurrent } from '@heddle/context'
import { describe, expect, it } from 'vitest'

const name = createKey<string>('test.lifecycle.name')
const dropped = createKey<string>('test.lifecycle.dropped', { child: 'drop' })
const secret = createKey<string>('test.lifecycle.secret', { redact: true })
const foreign = new AsyncLocalStorage<string>()

describe('onClose', () => {
  it('is called when the scope closes, the last first, while the values are there', () => {
    const events: unknown[] = []
    foreign.run('theirs', () =>
      runRequest({ entries: [name.of('a')] }, (scope) => {
        scope.onClose(() =>
          events.push(['first', name.get(), tryCurrent() === scope, foreign.getStore()]),
        )
        scope.onClose(() => events.push(['second', scope.state]))
        run([name.of('child')], () => current().onClose(() => events.push(['child', name.get()])))
      }),
    )
    expect(events).toEqual([
      ['child', 'child'],
      ['second', 'settling'],
      ['first', 'a', true, undefined],
    ])
  })

  it('can be taken back', () => {
    const events: unknown[] = []
    runRequest({}, (scope) => {
      const note = (): void => void events.push('called')
      scope.onClose(note)
      scope.onClose(note)[Symbol.dispose]()
    })
    expect(events).toEqual(['called'])
  })

  it('may throw: the others are called, the scope closes, and it is reported', () => {
    const warnings: unknown[] = []
    const listener = (message: unknown): void => void warnings.push(message)
    subscribe('heddle:warning', listener)
    try {
      const events: unknown[] = []
      const scope = runRequest({}, (opened) => {
        opened.onClose(() => events.push('called'))
        opened.onClose(() => {
          throw new Error('boom')
        })
        return opened
      })
      expect([events, scope.state]).toEqual([['called'], 'closed'])
      expect(warnings).toMatchObject([{ code: 'CALLBACK_FAILED', topic: 'onClose' }])
    } finally {
      unsubscribe('heddle:warning', listener)
    }
  })

  it('refuses a scope that has closed, and never comes for one outside any request', () => {
    const scope = runRequest({}, (opened) => opened)
    expect(() => scope.onClose(() => {})).toThrow(expect.objectContaining({ code: 'SCOPE_CLOSED' }))
    const events: unknown[] = []
    using _ = run([], () => current()).onClose(() => events.push('called'))
    expect(events).toEqual([])
  })
})

describe('a child scope', () => {
  it('starts without the keys of `child: drop`', () => {
    runRequest({ entries: [name.of('a'), dropped.of('b')] }, () => {
      expect(run([], () => [name.get(), dropped.get()])).toEqual(['a', undefined])
      expect(run([dropped.of('c')], () => dropped.get())).toBe('c')
      expect(dropped.get()).toBe('b')
    })
  })
})

describe('toJSON', () => {
  it('tells everything but redacted values', () => {
    const json = runRequest({ id: 'r1', entries: [name.of('a'), secret.of('s3cret')] }, (scope) =>
      JSON.stringify(scope),
    )
    expect(JSON.parse(json)).toEqual({
      id: 'r1',
      kind: 'request',
      state: 'active',
      elapsed: expect.any(Number),
      values: { 'test.lifecycle.name': 'a' },
    })
  })
})

describe('the report of a use after the close', () => {
  it('says which scope, which key, when it closed, and in development where it was opened', () => {
    const scope = runRequest({ id: 'r1' }, (opened) => opened)
    let message = ''
    try {
      scope.get(name)
    } catch (error) {
      ;({ message } = error as Error)
    }
    expect(message).toMatch(
      /^Scope `r1` was closed \d+\.\d ms ago, so `test\.lifecycle\.name` is gone\./,
    )
    expect(message).toContain('detach(fn, { keep: [key] })')
    const opened = message.slice(message.indexOf('The scope was opened'))
    expect(opened.split('\n')[1]).toContain('lifecycle.test.ts')
  })
})
