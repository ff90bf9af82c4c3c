import { createBatcher, createContinuousBatcher, createStreamBatcher } from '@heddle/core'
import { virtualClock } from '@heddle/core/testing'
import { instrumentBatchers } from '@heddle/otel'
import { describe, expect, it } from 'vitest'

import { echo, turn } from '../support/crank.ts'
import { parentOf, record } from './recording.ts'

async function read<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const chunks: T[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return chunks
}

describe('the execution of a stream', () => {
  it('tells how many chunks it had, and when the first one came', async () => {
    using clock = virtualClock()
    using recording = record()
    using _ = instrumentBatchers()
    const gate = Promise.withResolvers<void>()
    const words = createStreamBatcher({
      name: 'words',
      async *run(inputs: readonly number[]) {
        await gate.promise
        for (let n = 0; n < 3; n += 1) for (const index of inputs.keys()) yield [index, n] as const
      },
    })
    const answer = recording.request('GET /', () => read(words.stream(1)))
    await clock.advance(5)
    gate.resolve()
    await clock.settle()
    expect(await answer).toEqual([0, 1, 2])
    await clock.settle()
    const { attributes } = recording.one('execute words')
    expect(attributes['heddle.stream.chunks']).toBe(3)
    expect(attributes['heddle.stream.time_to_first_chunk']).toBe(0.005)
    expect(attributes).not.toHaveProperty('heddle.stream.steps')
  })

  it('of a continuous batcher is one span, with the number of its steps', async () => {
    using recording = record()
    using _ = instrumentBatchers()
    const counts = createContinuousBatcher({
      name: 'counts',
      start: (length: number) => ({ left: length }),
      step: (active) =>
        active.map(({ state }) => {
          state.left -= 1
          return state.left < 0 ? { done: true } : { chunk: state.left }
        }),
    })
    await Promise.all(
      [2, 4].map((length) => recording.request('GET /', () => read(counts.stream(length)))),
    )
    await turn()
    const executions = recording.named('execute counts')
    expect(executions.map(({ attributes }) => attributes['heddle.stream.chunks'])).toEqual([2, 4])
    expect(executions.map(({ attributes }) => attributes['heddle.stream.steps'])).toEqual([3, 5])
    // Two requests: each has a server span, a wait, an execution and its own batch; no span per step.
    expect(recording.spans).toHaveLength(8)
  })
})

describe('items that share one execution', () => {
  it('all link to its batch, with their place in it and how many they are', async () => {
    using recording = record()
    using _ = instrumentBatchers()
    const { run, batches } = echo<string>()
    const shared = createBatcher({ name: 'shared', run, dedupeBy: (key: string) => key })
    const keys = ['a', 'b', 'b', 'c', 'b']
    await Promise.all(keys.map((key) => recording.request(`GET /${key}`, () => shared.submit(key))))
    await turn()
    expect(batches).toEqual([['a', 'b', 'c']])
    const batch = recording.one('batch shared')
    expect(batch.links).toHaveLength(5)
    expect(batch.attributes['heddle.batch.size']).toBe(3)
    expect(parentOf(batch)).toBeUndefined()
    const executions = recording.named('execute shared')
    const places = executions.map(({ attributes }) =>
      ['heddle.item.index', 'heddle.item.waiters']
        .map((name) => String(attributes[name]))
        .join(' of '),
    )
    const alone = ['0 of undefined', '2 of undefined']
    expect(places.filter((place) => !alone.includes(place))).toEqual(['1 of 3', '1 of 3', '1 of 3'])
    expect(places).toEqual(expect.arrayContaining(alone))
    for (const { links } of executions) expect(links).toHaveLength(1)
  })
})
