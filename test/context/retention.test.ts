import { EventEmitter } from 'node:events'

import {
  bindAsyncIterable,
  bindReadableStream,
  current,
  detach,
  onAbort,
  run,
  runCarrier,
  runNeutral,
  runRequest,
  Snapshot,
  toCarrier,
  wrapListener,
} from '@heddle/context'
import { contextsAreResources } from '@heddle/context/engine'
import { createBatcher } from '@heddle/core'
import { afterAll, describe, expect, it } from 'vitest'

import { sleep } from '../support/crank.ts'
import { heldAfter, payload, type Request, REQUESTS, tenant } from './held.ts'
import { openUpstream } from './keep-alive.ts'

const HOUR = 3_600_000

/** What the app keeps; until the end of the file, so that nothing is free because its holder is. */
const kept: unknown[] = []
const cleanUp: (() => void)[] = []
afterAll(() => {
  kept.length = 0
  for (const clean of cleanUp) clean()
})

type Row = readonly [holder: string, request: Request]

async function* values(): AsyncGenerator<number> {
  for (let n = 0; n < 3; n += 1) {
    expect(payload.get()).toBeDefined()
    yield n
  }
}

function streamOf(): ReadableStream<number> {
  let n = 0
  return new ReadableStream({
    pull(controller) {
      n += 1
      if (n > 3) controller.close()
      else controller.enqueue(n)
    },
  })
}

/** As most listeners do: so it must be taken off, too, and not only lose its context. */
function listenerThatHolds(value: unknown): () => unknown {
  return () => value
}

const shutdown = new AbortController()
const bus = new EventEmitter().setMaxListeners(0)

describe('a request that has ended is not held', () => {
  it.each<Row>([
    [
      'a long timer made in `runNeutral`',
      () => {
        const timer = runNeutral(() => setTimeout(() => {}, HOUR))
        cleanUp.push(() => clearTimeout(timer))
        kept.push(timer)
      },
    ],
    [
      'the timer of its deadline',
      (watch) =>
        runRequest({ timeout: HOUR }, (scope) => {
          // Asked for, so that the timer is armed.
          watch(scope.signal)
          watch(scope)
        }),
    ],
    [
      'a long-lived signal that `onAbort` listened to, and was told to stop',
      () => onAbort(shutdown.signal, listenerThatHolds(payload.get()))[Symbol.dispose](),
    ],
    [
      'a long-lived signal that `onAbort` listens to until the scope ends',
      () => onAbort(shutdown.signal, listenerThatHolds(payload.get())),
    ],
    [
      'a signal that has aborted, after `onAbort` was called',
      () => {
        const controller = new AbortController()
        onAbort(controller.signal, listenerThatHolds(payload.get()))
        // Text, since an Error that the signal keeps would keep the functions on its stack.
        controller.abort('enough')
        kept.push(controller)
      },
    ],
    [
      'a long-lived signal that is the signal of the request',
      (watch) =>
        runRequest({ signal: shutdown.signal }, (scope) => {
          watch(scope.signal)
          watch(scope)
        }),
    ],
    [
      'a bound iterator after `return()`',
      async () => {
        const bound = bindAsyncIterable(values())
        const iterator = bound[Symbol.asyncIterator]()
        await iterator.next()
        await iterator.return?.()
        kept.push(bound, iterator)
      },
    ],
    [
      'a bound iterator after its end',
      async () => {
        const bound = bindAsyncIterable(values())
        const iterator = bound[Symbol.asyncIterator]()
        for (let read = await iterator.next(); !read.done;) read = await iterator.next()
        kept.push(bound, iterator)
      },
    ],
    [
      'a bound stream after it was cancelled',
      async () => {
        const bound = bindReadableStream(streamOf())
        kept.push(bound)
        await runNeutral(async () => {
          const reader = bound.getReader()
          await reader.read()
          await reader.cancel()
        })
      },
    ],
    [
      'a bound stream after its end',
      async () => {
        const bound = bindReadableStream(streamOf())
        kept.push(bound)
        await runNeutral(async () => {
          const reader = bound.getReader()
          for (let read = await reader.read(); !read.done;) read = await reader.read()
        })
      },
    ],
    [
      'a wrapped listener that is left on an emitter',
      () => {
        const listener = wrapListener(() => payload.get())
        bus.on('event', listener)
        kept.push(listener)
      },
    ],
    [
      'a snapshot that is kept, but released, and what it has wrapped',
      () => {
        const snapshot = Snapshot.capture()
        kept.push(
          snapshot,
          snapshot.wrap(() => {}),
        )
        snapshot.run(() => payload.get())
        snapshot.release()
      },
    ],
    [
      'a detached scope whose work has settled, and its promise',
      async () => {
        const work = detach(
          async () => {
            kept.push(current())
            await sleep(0)
            expect(payload.get()).toBeDefined()
          },
          { keep: [payload] },
        )
        kept.push(work)
        await work
      },
    ],
    [
      'detached work that never settles and keeps nothing',
      () => kept.push(detach(() => new Promise(() => kept.push(current())))),
    ],
    [
      'child scopes, however deep and many',
      () => {
        for (let n = 0; n < 100; n += 1) {
          run([tenant.of('child')], () => run([], () => kept.push(current())))
        }
      },
    ],
    [
      'a carrier, and the scope that was opened from it',
      () => {
        const carrier = structuredClone(toCarrier())
        kept.push(carrier, toCarrier())
        runNeutral(() => runCarrier(carrier, () => kept.push(current())))
      },
    ],
    ['a promise made in `runNeutral`', () => kept.push(runNeutral(async () => {}))],
  ])('by %s', async (_holder, request) => {
    expect(await heldAfter(request)).toEqual({ own: 'none', theirs: 'none', snapshots: 0 })
  })

  it('by the keep-alive sockets that a batch function has opened', async () => {
    await using upstream = await openUpstream(REQUESTS)
    const batcher = createBatcher<number, number>({
      name: 'upstream',
      maxBatchSize: 1,
      maxConcurrency: REQUESTS,
      run: async () => [await upstream.status()],
    })
    expect(await heldAfter(() => batcher.submit(1))).toEqual({
      own: 'none',
      theirs: 'none',
      snapshots: 0,
    })
    expect(await upstream.openSockets()).toBe(REQUESTS)
  })
})

/** What the runtime holds is the context, with every store in it; what is ours in it is empty. */
describe('a request that has ended is held by the runtime, but for what our scope had', () => {
  it.each<Row>([
    [
      'a long timer made in the request',
      () => {
        const timer = setTimeout(() => {}, HOUR)
        cleanUp.push(() => clearTimeout(timer))
        kept.push(timer)
      },
    ],
    [
      'a function that waits for ever',
      () => {
        const scope = current()
        const waiting = async (): Promise<void> => {
          await new Promise((resolve) => kept.push(resolve))
          scope.get(payload)
        }
        kept.push(waiting())
      },
    ],
    ['a snapshot that nobody releases', () => kept.push(Snapshot.capture())],
  ])('by %s', async (_holder, request) => {
    expect(await heldAfter(request)).toMatchObject({ own: 'none', theirs: 'all' })
  })

  it('by a promise in a cache, where a promise holds the context it was made in', async () => {
    const found = await heldAfter(() => kept.push(Promise.resolve()))
    expect(found).toMatchObject({ own: 'none', theirs: contextsAreResources ? 'all' : 'none' })
  })

  it('by the keep-alive sockets that it has opened itself', async () => {
    await using upstream = await openUpstream(REQUESTS)
    const found = await heldAfter(() => upstream.status())
    expect(found).toMatchObject({ own: 'none', theirs: 'all' })
  })
})
