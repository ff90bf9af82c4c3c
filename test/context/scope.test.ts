import { AsyncLocalStorage } from 'node:async_hooks'

import {
  createKey,
  current,
  run,
  runNeutral,
  runRequest,
  Snapshot,
  tryCurrent,
} from '@heddle/context'
import { virtualClock } from '@heddle/core/testing'
import { describe, expect, it } from 'vitest'

import { sleep, turn, until } from '../support/crank.ts'

const name = createKey<string>('test.scope.name')
const foreign = new AsyncLocalStorage<string>()

describe('runRequest', () => {
  it('opens a fresh root, also inside another request', () => {
    runRequest({ id: 'outer', entries: [name.of('outer')] }, (outer) => {
      runRequest({ id: 'inner' }, (inner) => {
        expect(tryCurrent()).toBe(inner)
        expect([inner.id, inner.kind, inner.parent, name.get()]).toEqual([
          'inner',
          'request',
          undefined,
          undefined,
        ])
      })
      expect(tryCurrent()).toBe(outer)
    })
    expect(tryCurrent()).toBeUndefined()
  })

  it('makes an id for a request that brings none', () => {
    const ids = [1, 2].map(() => runRequest({}, (scope) => scope.id))
    expect(new Set(ids).size).toBe(2)
    expect(ids[0]).toMatch(/^[\da-f-]{36}$/)
  })

  it('returns what the function returns, the same promise if it is one', async () => {
    expect(runRequest({}, () => 7)).toBe(7)
    const promise = Promise.resolve(8)
    expect(runRequest({}, () => promise)).toBe(promise)
    await promise
  })

  it('closes when the function has settled, in whichever way', async () => {
    const states: unknown[] = []
    const sync = runRequest({}, (scope) => (states.push(scope.state), scope))
    states.push(sync.state)
    const [waiting, asynchronous] = runRequest({}, (scope) => {
      const done = sleep(1)
      return [done, scope] as const
    })
    states.push(asynchronous.state)
    await waiting
    let failed
    expect(() =>
      runRequest({}, (scope) => {
        failed = scope
        throw new Error('handler')
      }),
    ).toThrow('handler')
    states.push((failed as unknown as { state: string }).state)
    let rejected
    await expect(
      runRequest({}, async (scope) => {
        rejected = scope
        await sleep(1)
        states.push(scope.state)
        throw new Error('later')
      }),
    ).rejects.toThrow('later')
    await turn()
    states.push((rejected as unknown as { state: string }).state)
    expect(states).toEqual(['active', 'closed', 'closed', 'closed', 'active', 'closed'])
  })

  it('stays open, settling, until `closeWhen` has settled', async () => {
    for (const end of ['resolve', 'reject'] as const) {
      const body = Promise.withResolvers<void>()
      const scope = await runRequest({ closeWhen: body.promise }, async (opened) => opened)
      await turn()
      expect(scope.state).toBe('settling')
      body[end]()
      await turn()
      expect(scope.state).toBe('closed')
    }
  })

  it('does not start the work of a thenable that it is given', () => {
    let started = 0
    // oxlint-disable-next-line unicorn/no-thenable
    const lazy = { then: () => (started += 1) }
    expect(runRequest({}, () => lazy)).toBe(lazy)
    expect(started).toBe(0)
  })
})

describe('a closed scope', () => {
  it('has forgotten its values, and its children’s', () => {
    const value = 'secret'
    const [scope, child] = runRequest({ entries: [name.of(value)] }, (opened) => [
      opened,
      run([name.of('child')], () => current()),
    ])
    const closed = expect.objectContaining({ code: 'SCOPE_CLOSED' })
    expect(() => scope.get(name)).toThrow(closed)
    expect(() => child.get(name)).toThrow(closed)
    expect(scope.has(name)).toBe(false)
  })

  it('refuses reads and writes of work that outlived it', async () => {
    const outcomes: unknown[] = []
    const attempt = (call: () => unknown): void => {
      try {
        outcomes.push(call())
      } catch (error) {
        outcomes.push((error as { code: unknown }).code)
      }
    }
    runRequest({ entries: [name.of('x')] }, () => {
      setTimeout(() => {
        attempt(() => name.get())
        attempt(() => name.getOrThrow())
        attempt(() => name.set('late'))
        attempt(() => tryCurrent()?.state)
      }, 1)
    })
    await until(() => outcomes.length === 4)
    expect(outcomes).toEqual(['SCOPE_CLOSED', 'SCOPE_CLOSED', 'SCOPE_CLOSED', 'closed'])
  })

  it('warns once and gives undefined in production', async () => {
    const { NODE_ENV } = process.env
    const warnings: unknown[] = []
    const note = (warning: Error): void => void warnings.push((warning as { code?: string }).code)
    process.on('warning', note)
    try {
      process.env.NODE_ENV = 'production'
      const key = createKey<string>('test.scope.production')
      const scope = runRequest({ entries: [key.of('x')] }, (opened) => opened)
      expect([scope.get(key), scope.get(key)]).toEqual([undefined, undefined])
      await turn()
      expect(warnings).toEqual(['SCOPE_CLOSED'])
    } finally {
      if (NODE_ENV === undefined) delete process.env.NODE_ENV
      else process.env.NODE_ENV = NODE_ENV
      process.off('warning', note)
    }
  })
})

describe('the signal of a scope', () => {
  it('aborts when the client leaves, with an Error', () => {
    const client = new AbortController()
    runRequest({ signal: client.signal }, (scope) => {
      const { signal } = scope
      expect(signal.aborted).toBe(false)
      client.abort('Error: aborted')
      expect(signal.aborted).toBe(true)
      expect(signal.reason).toBeInstanceOf(Error)
      expect(run([], () => current().signal)).toBe(signal)
    })
  })

  it('aborts when the deadline passes', async () => {
    using clock = virtualClock()
    await runRequest({ timeout: 5 }, async (scope) => {
      const { signal } = scope
      expect(scope.deadline).toBe(scope.startTime + 5)
      await clock.advance(4.999)
      expect(signal.aborted).toBe(false)
      await clock.advance(0.001)
      expect(signal.reason).toMatchObject({ name: 'TimeoutError' })
    })
  })

  it('is aborted already when it is first asked for after the fact', async () => {
    const client = new AbortController()
    client.abort(new Error('before'))
    runRequest({ signal: client.signal }, (scope) => {
      expect(scope.signal.reason).toMatchObject({ message: 'before' })
    })
    using clock = virtualClock()
    await runRequest({ timeout: 1 }, async (scope) => {
      await clock.advance(10)
      expect(scope.signal.aborted).toBe(true)
    })
  })

  it('does not abort on a normal close', async () => {
    using clock = virtualClock()
    const client = new AbortController()
    const signal = runRequest({ signal: client.signal, timeout: 5 }, (scope) => scope.signal)
    await clock.advance(20)
    client.abort()
    expect(signal.aborted).toBe(false)
  })
})

describe('runNeutral', () => {
  it('empties every AsyncLocalStorage, and may be nested', () => {
    foreign.run('theirs', () =>
      name.run('ours', () => {
        const seen = (): unknown[] => [name.get(), foreign.getStore(), tryCurrent()]
        expect(runNeutral(seen)).toEqual([undefined, undefined, undefined])
        expect(runNeutral(() => runNeutral(seen))).toEqual([undefined, undefined, undefined])
        expect([name.get(), foreign.getStore()]).toEqual(['ours', 'theirs'])
      }),
    )
  })

  it('keeps timers and promises that are made there empty', async () => {
    const seen = await name.run('ours', () =>
      runNeutral(
        () => new Promise((resolve) => setTimeout(() => resolve([name.get(), tryCurrent()]), 1)),
      ),
    )
    expect(seen).toEqual([undefined, undefined])
  })
})

describe('Snapshot', () => {
  it('brings every AsyncLocalStorage back', async () => {
    const snapshot = foreign.run('theirs', () => name.run('ours', () => Snapshot.capture()))
    expect(snapshot.run(() => [name.get(), foreign.getStore()])).toEqual(['ours', 'theirs'])
    const later = await snapshot.run(async () => {
      await sleep(1)
      return [name.get(), foreign.getStore()]
    })
    expect(later).toEqual(['ours', 'theirs'])
    expect(name.get()).toBeUndefined()
  })

  it('may be entered again inside itself, whatever was opened meanwhile', () => {
    const snapshot = runRequest({ id: 'outer' }, () => Snapshot.capture())
    const seen = snapshot.run(() =>
      runRequest({ id: 'inner' }, () => snapshot.run(() => current().id)),
    )
    expect(seen).toBe('outer')
  })

  it('wraps a function with its `this`, name, length and arguments', () => {
    const snapshot = name.run('ours', () => Snapshot.capture())
    function greet(this: { readonly greeting: string }, who: string): string {
      return `${this.greeting}, ${who} (${name.get()})`
    }
    const wrapped = snapshot.wrap(greet)
    expect([wrapped.name, wrapped.length]).toEqual(['greet', 1])
    expect(wrapped.call({ greeting: 'Hello' }, 'Ada')).toBe('Hello, Ada (ours)')
  })

  it('is gone after the release', () => {
    let snapshot
    {
      using captured = name.run('ours', () => Snapshot.capture())
      snapshot = captured
      expect(captured.scope?.get(name)).toBe('ours')
    }
    expect(snapshot.scope).toBeUndefined()
    expect(() => snapshot.run(() => 1)).toThrow(expect.objectContaining({ code: 'ITEM_SETTLED' }))
    snapshot.release()
  })
})
