/** Streams that nobody reads to their end, and that the engine refuses or ends. */
import { bindAsyncIterable, runRequest } from '@heddle/context'
import { createContinuousBatcher, createStreamBatcher, type StreamBatcher } from '@heddle/core'

import { type Cases, hanging, turns, until } from './cases.ts'

const left = new Error('the caller left')

/** One that gives nothing: what is submitted next waits. */
function kinds(options: { readonly maxQueueSize?: number } = {}): StreamBatcher<string, string>[] {
  return [
    createStreamBatcher<string, string>({
      name: 'silent',
      async *run() {
        await hanging()
        yield [0, 'never']
      },
      ...options,
    }),
    createContinuousBatcher<string, string, string>({
      name: 'silent steps',
      maxActive: 1,
      start: (input) => input,
      step: hanging,
      ...options,
    }),
  ]
}

/** Both that give more than anybody reads. */
function fast(): StreamBatcher<string, string>[] {
  const bounds = { maxBuffered: 2, maxStall: 1 }
  return [
    createStreamBatcher<string, string>({
      name: 'fast',
      async *run(inputs) {
        for (;;) for (const index of inputs.keys()) yield [index, 'more']
      },
      ...bounds,
    }),
    createContinuousBatcher<string, string, string>({
      name: 'fast steps',
      start: (input) => input,
      step: async (active) => active.map(() => ({ chunk: 'more' })),
      ...bounds,
    }),
  ]
}

/** Asks twice: the first is rejected, the second finds the end. */
function ask(stream: AsyncIterator<unknown>): void {
  void stream.next()
  void stream.next()
}

export const streams: Cases = {
  async 'refused: aborted, invalid, full, closed; asked then or later'() {
    for (const batcher of kinds({ maxQueueSize: 1 })) {
      ask(batcher.stream('x', { signal: AbortSignal.abort(left) }))
      ask(batcher.stream('x', { timeout: -1 }))
      batcher.stream('first')
      await turns()
      batcher.stream('waits')
      ask(batcher.stream('x'))
      const later = batcher.stream('x')
      batcher.stream('nobody asks')
      void batcher.close()
      ask(batcher.stream('x'))
      await turns()
      ask(later)
    }
  },
  async 'ended while somebody waits for a chunk: aborted, deadline, closed'() {
    for (const batcher of kinds()) {
      const controller = new AbortController()
      const { signal } = controller
      ask(batcher.stream('x', { signal }))
      await turns()
      ask(batcher.stream('y', { signal }))
      ask(batcher.stream('z', { timeout: 1 }))
      runRequest({ signal }, () => ask(batcher.stream('x')))
      ask(batcher.stream('x'))
      await until(() => batcher.stats().rejected.DEADLINE_EXCEEDED === 1)
      controller.abort(left)
      void batcher.close({ timeout: 0 })
      await until(() => batcher.stats().rejected.BATCHER_CLOSED > 0)
    }
  },
  async 'ended since its consumer is too slow, and asks then'() {
    for (const batcher of fast()) {
      const stream = batcher.stream('x')
      await until(() => batcher.stats().rejected.DEADLINE_EXCEEDED === 1)
      for (let chunks = 0; chunks < 4; chunks += 1) void stream.next()
    }
  },
  async 'left by its consumer'() {
    for (const batcher of kinds()) {
      const stream = batcher.stream('x')
      ask(stream)
      void stream.return?.()
      ask(batcher.stream('y'))
      void batcher.close({ timeout: -1 })
      void batcher[Symbol.asyncDispose]()
    }
  },
  async 'bound to a context'() {
    for (const batcher of kinds()) {
      const stream = batcher.stream('x', { signal: AbortSignal.abort(left) })
      ask(bindAsyncIterable(stream)[Symbol.asyncIterator]())
    }
  },
}
