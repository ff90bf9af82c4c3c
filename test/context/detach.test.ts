import { AsyncLocalStorage } from 'node:async_hooks'

import { createKey, detach, runRequest, type Scope, tryCurrent } from '@heddle/context'
import { createBatcher } from '@heddle/core'
import { virtualClock } from '@heddle/core/testing'
import { describe, expect, it } from 'vitest'

import { crank, turn } from '../support/crank.ts'

const kept = createKey<string>('test.detach.kept')
const left = createKey<string>('test.detach.left', { default: 'nothing' })
const foreign = new AsyncLocalStorage<string>()

describe('detach', () => {
  it('takes the values of `keep` along and nothing else', () => {
    const client = new AbortController()
    foreign.run('theirs', () =>
      runRequest(
        { timeout: 1_000, signal: client.signal, entries: [kept.of('a'), left.of('b')] },
        () => {
          const seen = detach(
            () => [
              kept.get(),
              left.get(),
              foreign.getStore(),
              tryCurrent()?.kind,
              tryCurrent()?.deadline,
            ],
            { keep: [kept, left] },
          )
          expect(seen).toEqual(['a', 'b', undefined, 'detached', undefined])
          expect(detach(() => [kept.get(), left.get()])).toEqual([undefined, 'nothing'])
        },
      ),
    )
  })

  it('outlives the request, its abort and its deadline, and closes when it has settled', async () => {
    using clock = virtualClock()
    const client = new AbortController()
    let request: Scope | undefined
    let work: Scope | undefined
    const seen: unknown[] = []
    let done: Promise<void> | undefined
    runRequest({ signal: client.signal, timeout: 5, entries: [kept.of('a')] }, (scope) => {
      request = scope
      done = detach(
        async () => {
          work = tryCurrent()
          await clock.advance(20)
          seen.push(kept.get(), work?.signal.aborted, request?.state, work?.state)
        },
        { keep: [kept] },
      )
    })
    client.abort()
    await done
    await turn()
    expect(seen).toEqual(['a', false, 'closed', 'active'])
    expect(work?.state).toBe('closed')
  })

  it('may submit items, which keep it open', async () => {
    const { run, calls } = crank<number>()
    const batcher = createBatcher({ name: 'detached', run })
    const scope = runRequest({}, () =>
      detach(() => {
        void batcher.submit(1)
        return tryCurrent()
      }),
    )
    await turn()
    expect(scope?.state).toBe('settling')
    calls[0]?.finish([1])
    await batcher.drain()
    expect(scope?.state).toBe('closed')
  })

  it('works outside any scope', () => {
    expect(detach(() => tryCurrent()?.kind, { keep: [kept] })).toBe('detached')
  })
})
