import { AsyncLocalStorage } from 'node:async_hooks'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'

import { current, runNeutral, runRequest, toCarrier, tryCurrent } from '@heddle/context'
import { virtualClock } from '@heddle/core/testing'
import { afterAll, describe, expect, it } from 'vitest'

import { local, tenant } from './worker-keys.ts'
import type { Answer, Call, Task } from './worker-thread.ts'

const foreign = new AsyncLocalStorage<string>()

/** Calls into a worker: the context goes with the message, and comes back through the caller's promise. */
class WorkerClient implements AsyncDisposable {
  // The first caller makes it, and it must not be the first caller's.
  readonly #worker = runNeutral(
    () => new Worker(join(import.meta.dirname, 'worker-thread.ts'), { execArgv: [] }),
  )
  readonly #calls = new Map<number, PromiseWithResolvers<Answer>>()
  /** Whoever the `message` event could be taken for. */
  readonly seenByPort: unknown[] = []
  #calling = 0

  constructor() {
    this.#worker.on('message', (answer: Answer) => {
      this.seenByPort.push(tryCurrent()?.id, foreign.getStore())
      this.#calls.get(answer.id)?.resolve(answer)
      this.#calls.delete(answer.id)
    })
    this.#worker.on('error', (error) => {
      for (const { reject } of this.#calls.values()) reject(error)
    })
  }

  get open(): number {
    return this.#calls.size
  }

  call(task: Task): Promise<Answer> {
    const id = (this.#calling += 1)
    const result = Promise.withResolvers<Answer>()
    this.#calls.set(id, result)
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
    this.#worker.postMessage({ id, carrier: toCarrier(), task } satisfies Call)
    return result.promise
  }

  /** Lets go on what waits in the worker, the last call first. */
  goOn(): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
    this.#worker.postMessage('go on')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate()
  }
}

describe('a worker thread', () => {
  let shared: WorkerClient | undefined
  const client = (): WorkerClient => (shared ??= new WorkerClient())
  afterAll(() => shared?.[Symbol.asyncDispose]())

  it('works in the context of each call, and each caller goes on in its own', async () => {
    const ids = ['a', 'b', 'c', 'd']
    const order: string[] = []
    const requests = ids.map((id) =>
      foreign.run(id, () =>
        runRequest(
          { id, entries: [tenant.of(`tenant ${id}`), local.of('stays here')] },
          async () => {
            const { seen, left, aborted } = await client().call('look')
            order.push(id)
            const there = { scope: id, tenant: `tenant ${id}`, local: undefined }
            expect({ seen, left, aborted }).toEqual({
              seen: [there, there],
              left: undefined,
              aborted: undefined,
            })
            expect([current().id, tenant.get(), local.get(), foreign.getStore()]).toEqual([
              id,
              `tenant ${id}`,
              'stays here',
              id,
            ])
          },
        ),
      ),
    )
    expect(client().open).toBe(ids.length)
    client().goOn()
    await Promise.all(requests)
    expect(order).toEqual(ids.toReversed())
    // The event is nobody's, though the first caller has made the worker.
    expect(client().seenByPort).toEqual(Array.from({ length: 2 * ids.length }))
  })

  it('has the time that was left to the deadline, which passes there, too', async () => {
    using clock = virtualClock()
    await runRequest({ timeout: 50 }, async () => {
      await clock.advance(20)
      const { left, aborted } = await client().call('wait for the deadline')
      // Its clock starts with the worker, so the deadline itself would mean another time there.
      expect(left).toBeLessThanOrEqual(30)
      expect(aborted).toBe('TimeoutError')
    })
  })
})
