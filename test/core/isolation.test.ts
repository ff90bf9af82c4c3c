import { AsyncLocalStorage } from 'node:async_hooks'

import { createKey, run as runWith, runNeutral, runRequest, tryCurrent } from '@heddle/context'
import { type Batcher, createBatcher } from '@heddle/core'
import { describe, expect, it } from 'vitest'

import { crank, ended, sleep, turn } from '../support/crank.ts'

const tenant = createKey<string>('test.isolation.tenant')
const foreign = new AsyncLocalStorage<string>()

/** What the code that runs now sees of a caller, through our scopes and through somebody else's storage. */
function visible(): { readonly tenant: string | undefined; readonly foreign: string | undefined } {
  return { tenant: tenant.get(), foreign: foreign.getStore() }
}

const nothing = { tenant: undefined, foreign: undefined }

/** Runs `fn` as a caller of this name, in both ways. */
function as<R>(who: string, fn: () => R): R {
  return foreign.run(who, () => runWith([tenant.of(who)], fn))
}

describe('the batch function (R1)', () => {
  it('sees no caller: at once, after an await, in a timer, an immediate, a microtask', async () => {
    const seen: unknown[] = []
    const batcher = createBatcher({
      name: 'neutral',
      run: async (inputs: readonly number[]) => {
        seen.push(visible())
        await Promise.resolve()
        seen.push(visible())
        await sleep(1)
        seen.push(visible())
        await new Promise<void>((resolve) => {
          setImmediate(() => {
            seen.push(visible())
            queueMicrotask(() => {
              seen.push(visible())
              resolve()
            })
          })
        })
        return inputs
      },
    })
    await Promise.all(['a', 'b', 'c'].map((who, n) => as(who, () => batcher.submit(n))))
    expect(seen).toEqual([nothing, nothing, nothing, nothing, nothing])
  })

  it.each([
    ['of one item', { callers: ['a'] }, {}],
    ['that is full', { callers: ['a', 'b'] }, { maxBatchSize: 2 }],
    ['that lingered', { callers: ['a', 'b'] }, { linger: 2 }],
    ['that starts after promise jobs', { callers: ['a'] }, { coalesce: 'microtask' as const }],
  ])('sees no caller in a batch %s', async (_case, { callers }, options) => {
    const seen: unknown[] = []
    const batcher = createBatcher<number, number>({
      ...options,
      name: 'neutral',
      run: (inputs) => {
        seen.push(visible())
        return inputs
      },
    })
    await Promise.all(callers.map((who, n) => as(who, () => batcher.submit(n))))
    expect(seen).toEqual([nothing])
  })

  it('sees no caller when another caller drains, closes or frees the slot', async () => {
    const seen: unknown[] = []
    const { run, calls } = crank<number>()
    const batcher = createBatcher<number, number>({
      name: 'neutral',
      maxBatchSize: 1,
      linger: 60_000,
      run: (inputs, batch) => {
        seen.push(visible())
        return run(inputs, batch)
      },
    })
    const items = ['a', 'b'].map((who, n) => as(who, () => batcher.submit(n)))
    await turn()
    as('freeing', () => calls[0]?.finish([0]))
    await turn()
    as('freeing', () => calls[1]?.finish([1]))
    await Promise.all(items)
    const last = as('c', () => batcher.submit(2))
    const closing = as('closing', () => batcher.close())
    await turn()
    calls[2]?.finish([2])
    await Promise.all([last, closing])
    expect(seen).toEqual([nothing, nothing, nothing])
  })

  it('sees no caller when the batcher was made inside a request', async () => {
    const seen: unknown[] = []
    const batcher = as('maker', () =>
      createBatcher<number, number>({
        name: 'lazy',
        run: (inputs) => {
          seen.push(visible())
          return inputs
        },
      }),
    )
    await as('a', () => batcher.submit(1))
    expect(seen).toEqual([nothing])
  })
})

describe('a batch function that pollutes its context with `enterWith`', () => {
  it('does so for itself alone, not for later batches or callers', async () => {
    const seen: unknown[] = []
    const batcher = createBatcher<number, number>({
      name: 'polluted',
      run: async (inputs, batch) => {
        seen.push(foreign.getStore())
        // oxlint-disable-next-line no-restricted-properties
        foreign.enterWith('polluted')
        batch.items[0]?.run(() => {
          seen.push(foreign.getStore())
          // oxlint-disable-next-line no-restricted-properties
          foreign.enterWith('polluted too')
        })
        return inputs
      },
    })
    for (const who of ['a', 'b']) {
      await as(who, async () => {
        await batcher.submit(1)
        seen.push(foreign.getStore())
      })
    }
    seen.push(runNeutral(() => foreign.getStore()))
    expect(seen).toEqual([undefined, 'a', 'a', undefined, 'b', 'b', undefined])
  })
})

describe('listeners of the batch’s signals (R1)', () => {
  it.each([
    ['a caller aborts', {}],
    ['a deadline passes', { timeout: 100 }],
  ])('see no caller when %s', async (_case, options) => {
    const seen: unknown[] = []
    const { run, calls } = crank<number>()
    // On the real clock, whose timers could bring a context. The batch starts before any timer can fire.
    const batcher = createBatcher({ name: 'gone', run, coalesce: 'microtask' })
    const controller = new AbortController()
    const item = as('a', () => ended(batcher.submit(1, { ...options, signal: controller.signal })))
    while (calls.length === 0) await new Promise(process.nextTick)
    const { batch } = calls[0]!
    for (const { signal } of [batch, batch.items[0]!]) {
      signal.addEventListener('abort', () => seen.push(visible()))
    }
    if (!('timeout' in options)) as('b', () => controller.abort())
    await item
    expect(seen).toEqual([nothing, nothing])
    calls[0]?.finish([1])
  })
})

describe('callers', () => {
  it('go on in their own contexts, whether their item was fulfilled, rejected or aborted', async () => {
    const batcher = createBatcher<number, number>({
      name: 'back',
      run: async (inputs) => inputs.map((n) => (n === 1 ? new Error('own') : n)),
    })
    const seen = await Promise.all(
      ['a', 'b', 'c'].map((who, n) =>
        as(who, async () => {
          const signal = n === 2 ? AbortSignal.abort() : undefined
          await ended(batcher.submit(n, signal ? { signal } : {}))
          return visible()
        }),
      ),
    )
    expect(seen).toEqual(['a', 'b', 'c'].map((who) => ({ tenant: who, foreign: who })))
  })
})

describe('item.run', () => {
  it('enters the member’s whole context, and the batch goes on without it', async () => {
    const seen: unknown[] = []
    const batcher = createBatcher({
      name: 'enter',
      run: async (inputs: readonly number[], batch) => {
        for (const item of batch.items) {
          await item.run(async () => {
            await Promise.resolve()
            seen.push(visible())
          })
          seen.push(visible(), item.get(tenant), item.scope?.kind)
        }
        return inputs
      },
    })
    await Promise.all(['a', 'b'].map((who, n) => as(who, () => batcher.submit(n))))
    expect(seen).toEqual([
      { tenant: 'a', foreign: 'a' },
      nothing,
      'a',
      'child',
      { tenant: 'b', foreign: 'b' },
      nothing,
      'b',
      'child',
    ])
  })

  it('works for a member outside any scope', async () => {
    const seen: unknown[] = []
    const batcher = createBatcher<number, number>({
      name: 'enter',
      run: (inputs, batch) => {
        const [item] = batch.items
        seen.push(item?.scope, item?.run(tryCurrent), item?.get(tenant))
        return inputs
      },
    })
    await batcher.submit(1)
    expect(seen).toEqual([undefined, undefined, undefined])
  })

  it('works for a member that has left, until the batch function settles', async () => {
    const { run, calls } = crank<number>()
    const batcher = createBatcher({ name: 'left', run })
    const client = new AbortController()
    const left = runRequest({ signal: client.signal, entries: [tenant.of('gone')] }, () =>
      ended(batcher.submit(1)),
    )
    await turn()
    const [item] = calls[0]!.batch.items
    client.abort(new Error('left'))
    expect(await left).toBe('left')
    await turn()
    // Its request has nothing more to do, but its scope is kept open for the batch.
    expect(item?.scope?.state).toBe('settling')
    expect(item?.run(() => tenant.get())).toBe('gone')
    const { scope } = item!
    calls[0]?.finish([1])
    await turn()
    expect(scope?.state).toBe('closed')
    expect(() => item?.run(() => 1)).toThrow(expect.objectContaining({ code: 'ITEM_SETTLED' }))
    expect(item?.scope).toBeUndefined()
    expect(item?.waiters[0]?.scope).toBeUndefined()
  })
})

describe('a batch inside a batch', () => {
  it('has the outer batch as its member, or the member that was entered', async () => {
    const kinds: unknown[] = []
    const inner = createBatcher<number, number>({
      name: 'inner',
      run: (inputs, batch) => {
        kinds.push(batch.items.map(({ scope }) => scope?.kind))
        return inputs
      },
    })
    const outer = createBatcher<number, number>({
      name: 'outer',
      run: async (inputs, batch) => {
        await inner.submit(0)
        await batch.items[0]?.run(() => inner.submit(1))
        return inputs
      },
    })
    await as('a', () => outer.submit(1))
    expect(kinds).toEqual([['batch'], ['child']])
  })
})

describe('a batch function that submits to its own batcher', () => {
  it.each([
    ['from its body', (submit: () => Promise<number>) => submit()],
    [
      'after an await',
      async (submit: () => Promise<number>) => {
        await turn()
        return submit()
      },
    ],
  ])('is refused while it holds the last slot, %s', async (_case, from) => {
    const batcher = createBatcher<number, number>({
      name: 'self',
      run: async (inputs) => {
        const inner = await ended(from(() => batcher.submit(99)))
        return inputs.map(() => new Error(String(inner)))
      },
    })
    expect(await ended(batcher.submit(1))).toBe('REENTRANT_SUBMIT')
  })

  it('is refused from a member’s context, too', async () => {
    const batcher = createBatcher<number, number>({
      name: 'self',
      run: async (inputs, batch) => {
        const inner = await ended(batch.items[0]!.run(() => batcher.submit(99)))
        return inputs.map(() => new Error(String(inner)))
      },
    })
    expect(await ended(batcher.submit(1))).toBe('REENTRANT_SUBMIT')
  })

  it('is allowed while there is another slot', async () => {
    const batcher: Batcher<number, number> = createBatcher<number, number>({
      name: 'self',
      maxConcurrency: 2,
      run: async (inputs) =>
        Promise.all(inputs.map(async (n) => (n > 0 ? (await batcher.submit(n - 1)) + 1 : 0))),
    })
    expect(await batcher.submit(1)).toBe(1)
  })
})
