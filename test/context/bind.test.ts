import { AsyncLocalStorage } from 'node:async_hooks'
import { EventEmitter } from 'node:events'

import {
  bindAsyncIterable,
  bindReadableStream,
  createKey,
  onAbort,
  run,
  runRequest,
  type Scope,
  Snapshot,
  wrapListener,
} from '@heddle/context'
import { describe, expect, it } from 'vitest'

import { sleep, turn, until } from '../support/crank.ts'

const name = createKey<string>('test.bind.name')
const foreign = new AsyncLocalStorage<string>()

const as = <R>(who: string, fn: () => R): R => run([name.of(who)], fn)

describe('bindAsyncIterable', () => {
  async function* source(seen: unknown[]): AsyncGenerator<number> {
    try {
      for (let n = 1; n <= 3; n += 1) {
        seen.push(name.get())
        await sleep(0)
        seen.push(name.get())
        yield n
      }
    } finally {
      seen.push(`finally ${name.get()}`)
    }
  }

  it('runs the source where it was bound, and the consumer where it consumes', async () => {
    const seen: unknown[] = []
    const bound = as('owner', () => bindAsyncIterable(source(seen)))
    const values = await as('consumer', async () => {
      const got: unknown[] = []
      for await (const value of bound) got.push(value, name.get())
      return got
    })
    expect(values).toEqual([1, 'consumer', 2, 'consumer', 3, 'consumer'])
    expect(seen).toEqual([...Array.from({ length: 6 }, () => 'owner'), 'finally owner'])
  })

  it('ends the source in its own context when the consumer breaks off', async () => {
    const seen: unknown[] = []
    const bound = as('owner', () => bindAsyncIterable(source(seen)))
    await as('consumer', async () => {
      for await (const value of bound) if (value === 1) break
    })
    expect(seen.at(-1)).toBe('finally owner')
  })

  it('passes values and errors in, and ends with the source', async () => {
    async function* talk(): AsyncGenerator<string, string, string> {
      let got = ''
      try {
        for (;;) got = yield `${name.get()} got ${got}`
      } catch (error) {
        return `${name.get()} caught ${(error as Error).message}`
      }
    }
    const iterator = as('owner', () => bindAsyncIterable(talk()))[Symbol.asyncIterator]()
    expect(await iterator.next()).toEqual({ done: false, value: 'owner got ' })
    expect(await iterator.next('x')).toEqual({ done: false, value: 'owner got x' })
    expect(await iterator.throw?.(new Error('stop'))).toEqual({
      done: true,
      value: 'owner caught stop',
    })
    expect(await iterator.next()).toEqual({ done: true, value: undefined })
    expect(await iterator.return?.()).toEqual({ done: true, value: undefined })
  })

  it('rejects as the source does, and is over then', async () => {
    async function* failing(): AsyncGenerator<number> {
      yield 1
      throw new Error('broken')
    }
    const iterator = bindAsyncIterable(failing())[Symbol.asyncIterator]()
    await iterator.next()
    await expect(iterator.next()).rejects.toThrow('broken')
    expect(await iterator.next()).toEqual({ done: true, value: undefined })
  })

  it('can be iterated as often as its source', async () => {
    const seen: unknown[] = []
    const again: AsyncIterable<number> = { [Symbol.asyncIterator]: () => source(seen) }
    const bound = as('owner', () => bindAsyncIterable(again))
    const once = as('owner', () => bindAsyncIterable(source([])))
    for (let n = 0; n < 2; n += 1) {
      const counts = [0, 0]
      for await (const _ of bound) counts[0] = (counts[0] ?? 0) + 1
      for await (const _ of once) counts[1] = (counts[1] ?? 0) + 1
      expect(counts).toEqual([3, n === 0 ? 3 : 0])
    }
    expect(new Set(seen)).toEqual(new Set(['owner', 'finally owner']))
  })

  it('uses a snapshot that is given, and leaves it to its owner', async () => {
    const snapshot = as('given', () => Snapshot.capture())
    const seen: unknown[] = []
    for await (const _ of bindAsyncIterable(source(seen), snapshot)) {
      // Only the source counts.
    }
    expect(seen[0]).toBe('given')
    expect(snapshot.run(() => name.get())).toBe('given')
    snapshot.release()
  })
})

describe('bindReadableStream', () => {
  function source(seen: unknown[]): ReadableStream<string> {
    let n = 0
    return new ReadableStream<string>(
      {
        pull(controller) {
          seen.push(name.get())
          n += 1
          if (n > 3) controller.close()
          else controller.enqueue(String(n))
        },
        cancel(reason) {
          seen.push(`cancel ${name.get()} ${String(reason)}`)
        },
      },
      { highWaterMark: 0 },
    )
  }

  it('pulls where it was bound, whoever reads', async () => {
    const seen: unknown[] = []
    const bound = as('owner', () => bindReadableStream(source(seen)))
    const values = await as('reader', async () => {
      const got: unknown[] = []
      const reader = bound.getReader()
      for (let read = await reader.read(); !read.done; read = await reader.read()) {
        got.push(read.value, name.get())
      }
      return got
    })
    expect(values).toEqual(['1', 'reader', '2', 'reader', '3', 'reader'])
    expect(seen).toEqual(['owner', 'owner', 'owner', 'owner'])
  })

  it('asks the source only when somebody reads, and cancels it in its context', async () => {
    const seen: unknown[] = []
    const bound = as('owner', () => bindReadableStream(source(seen)))
    await turn()
    expect(seen).toEqual([])
    await as('reader', () => bound.cancel('enough'))
    expect(seen).toEqual(['cancel owner enough'])
  })

  it('errors as the source does', async () => {
    const broken = new ReadableStream({
      pull() {
        throw new Error('broken')
      },
    })
    await expect(bindReadableStream(broken).getReader().read()).rejects.toThrow('broken')
  })
})

describe('onAbort', () => {
  it('calls in the context of whoever registered', () => {
    const controller = new AbortController()
    const seen: unknown[] = []
    as('owner', () => onAbort(controller.signal, (reason) => seen.push(name.get(), reason)))
    as('aborter', () => controller.abort('why'))
    expect(seen).toEqual(['owner', 'why'])
  })

  it('calls soon for a signal that has aborted', async () => {
    const seen: unknown[] = []
    as('owner', () => onAbort(AbortSignal.abort('why'), (reason) => seen.push(name.get(), reason)))
    expect(seen).toEqual([])
    await turn()
    expect(seen).toEqual(['owner', 'why'])
  })

  it('keeps the context of a timeout signal, which Bun and Deno lose', async () => {
    const seen: unknown[] = []
    as('owner', () => onAbort(AbortSignal.timeout(5), () => seen.push(name.get())))
    await until(() => seen.length > 0)
    expect(seen).toEqual(['owner'])
  })

  it('is taken back by its disposable, and by the end of its scope', async () => {
    const controller = new AbortController()
    const seen: unknown[] = []
    const note = (): void => void seen.push('called')
    onAbort(controller.signal, note)[Symbol.dispose]()
    runRequest({}, () => void onAbort(controller.signal, note))
    onAbort(AbortSignal.abort(), note)[Symbol.dispose]()
    controller.abort()
    await turn()
    expect(seen).toEqual([])
  })
})

describe('wrapListener', () => {
  it('runs the listener where it was wrapped, and can be taken off', () => {
    const emitter = new EventEmitter()
    const seen: unknown[] = []
    function listener(this: unknown, value: unknown): void {
      seen.push(name.get(), value, this === emitter)
    }
    runRequest({ entries: [name.of('owner')] }, () => {
      emitter.on('data', wrapListener(listener))
      as('emitter', () => emitter.emit('data', 1))
      expect(wrapListener(listener)).toBe(wrapListener(listener))
      expect(wrapListener(listener).name).toBe('listener')
      emitter.off('data', wrapListener(listener))
    })
    emitter.emit('data', 2)
    expect(seen).toEqual(['owner', 1, true])
  })

  it('keeps what each caller saw outside any scope', () => {
    const seen: unknown[] = []
    const listener = (): void => void seen.push(foreign.getStore())
    const [first, second] = ['a', 'b'].map((who) => foreign.run(who, () => wrapListener(listener)))
    second?.()
    first?.()
    expect(seen).toEqual(['b', 'a'])
  })

  it('is another function in another scope', () => {
    const listener = (): void => {}
    const [first, second] = [1, 2].map(() => runRequest({}, () => wrapListener(listener)))
    expect(first).not.toBe(second)
  })

  it('throws in development when it is left on an emitter, and does nothing in production', () => {
    const emitter = new EventEmitter()
    const seen: unknown[] = []
    const onData = (): void => void seen.push('called')
    runRequest({}, () => emitter.on('data', wrapListener(onData)))
    expect(() => emitter.emit('data')).toThrow(expect.objectContaining({ code: 'SCOPE_CLOSED' }))
    const { NODE_ENV } = process.env
    try {
      process.env.NODE_ENV = 'production'
      emitter.emit('data')
      const scope = runRequest({}, () => Snapshot.capture())
      scope.run(() => emitter.on('data', wrapListener(onData)))
      const controller = new AbortController()
      scope.run(() => onAbort(controller.signal, onData))
      emitter.emit('data')
      controller.abort()
      scope.release()
    } finally {
      if (NODE_ENV === undefined) delete process.env.NODE_ENV
      else process.env.NODE_ENV = NODE_ENV
    }
    expect(seen).toEqual([])
  })
})

describe('a bound source', () => {
  async function* twice(): AsyncGenerator<string | undefined> {
    yield name.get()
    await sleep(0)
    yield name.get()
  }

  function boundIn(scopes: Scope[]): AsyncIterable<string | undefined> {
    return runRequest({ entries: [name.of('owner')] }, (scope) => {
      scopes.push(scope)
      return bindAsyncIterable(twice())
    })
  }

  it('keeps its request open until it has ended', async () => {
    const scopes: Scope[] = []
    const values: unknown[] = []
    for await (const value of boundIn(scopes)) values.push(value, scopes[0]?.state)
    expect(values).toEqual(['owner', 'settling', 'owner', 'settling'])
    expect(scopes[0]?.state).toBe('closed')
  })

  it('lets go of it when its consumer breaks off, and when it fails', async () => {
    const scopes: Scope[] = []
    for await (const value of boundIn(scopes)) if (value) break
    const failing = runRequest({}, (scope) => {
      scopes.push(scope)
      return bindReadableStream(
        new ReadableStream({
          pull() {
            throw new Error('failed')
          },
        }),
      )
    })
    await expect(failing.getReader().read()).rejects.toThrow('failed')
    const cancelled = runRequest({}, (scope) => {
      scopes.push(scope)
      return bindReadableStream(new ReadableStream())
    })
    await cancelled.cancel()
    await sleep(0)
    expect(scopes.map(({ state }) => state)).toEqual(['closed', 'closed', 'closed'])
  })

  it('does so for each iteration, if it can be iterated again', async () => {
    let scope: Scope | undefined
    const again = runRequest({ entries: [name.of('owner')] }, (own) => {
      scope = own
      return bindAsyncIterable({ [Symbol.asyncIterator]: () => twice() })
    })
    const first = again[Symbol.asyncIterator]()
    const second = again[Symbol.asyncIterator]()
    await first.next()
    await first.return?.()
    expect(scope?.state).toBe('settling')
    await second.next()
    await second.return?.()
    await sleep(0)
    expect(scope?.state).toBe('closed')
  })
})
