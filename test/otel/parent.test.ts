import { createBatcher } from '@heddle/core'
import { instrumentBatchers } from '@heddle/otel'
import { trace } from '@opentelemetry/api'
import { describe, expect, it } from 'vitest'

import { echo, turn } from '../support/crank.ts'
import { idOf, linksOf, parentOf, record } from './recording.ts'

describe('the parent of a batch', () => {
  it('is the span in which all members were submitted', async () => {
    using recording = record()
    using _ = instrumentBatchers()
    const users = createBatcher({ name: 'users', run: echo<number>().run })
    await recording.request('POST /graphql', () => Promise.all([users.submit(1), users.submit(2)]))
    await turn()
    const batch = recording.one('batch users')
    const server = idOf(recording.one('POST /graphql'))
    expect(parentOf(batch)).toBe(server)
    expect(linksOf(batch)).toEqual(recording.named('wait users').map(idOf))
    expect(recording.named('execute users').map(parentOf)).toEqual([server, server])
  })

  it('is nobody with `parent: none`', async () => {
    using recording = record()
    using _ = instrumentBatchers({ parent: 'none' })
    const users = createBatcher({ name: 'users', run: echo<number>().run })
    await recording.request('POST /graphql', () => Promise.all([users.submit(1), users.submit(2)]))
    await turn()
    expect(parentOf(recording.one('batch users'))).toBeUndefined()
  })

  it('is nobody when a single member comes from elsewhere', async () => {
    using recording = record()
    using _ = instrumentBatchers({ parent: 'common' })
    const users = createBatcher({ name: 'users', run: echo<number>().run })
    await recording.request('POST /graphql', () => {
      const elsewhere = recording.request('GET /users/3', () => users.submit(3))
      return Promise.all([users.submit(1), users.submit(2), elsewhere])
    })
    await turn()
    expect(recording.one('batch users').attributes['heddle.batch.size']).toBe(3)
    expect(parentOf(recording.one('batch users'))).toBeUndefined()
  })

  it('is nobody when two spans of one trace submit', async () => {
    using recording = record()
    using _ = instrumentBatchers()
    const users = createBatcher({ name: 'users', run: echo<number>().run })
    const resolve = (id: number): Promise<number> =>
      recording.tracer.startActiveSpan(`resolve ${id}`, async (span) => {
        const user = await users.submit(id)
        span.end()
        return user
      })
    await recording.request('POST /graphql', () => Promise.all([resolve(1), resolve(2)]))
    await turn()
    expect(parentOf(recording.one('batch users'))).toBeUndefined()
  })

  it('makes no difference to what is active in the batch function', async () => {
    using recording = record()
    using _ = instrumentBatchers()
    const active: unknown[] = []
    const users = createBatcher<number, number>({
      name: 'users',
      run(ids) {
        active.push(trace.getActiveSpan()?.spanContext().spanId)
        return ids
      },
    })
    await recording.request('GET /users/1', () => users.submit(1))
    await turn()
    expect(active).toEqual([recording.one('batch users').spanContext().spanId])
  })
})
