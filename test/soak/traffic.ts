import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'

import {
  createKey,
  current,
  detach,
  onAbort,
  run,
  runRequest,
  type Scope,
  Snapshot,
} from '@heddle/context'
import { type BatcherError, createBatcher } from '@heddle/core'

const tenant = createKey<string>('soak.tenant', { batch: 'partition' })
const note = createKey<object>('soak.note')
const session = new AsyncLocalStorage<object>()

/** Each kind of request that a service sees, all through one batcher, as one process sees them. */
export class Traffic {
  readonly endings: Map<string, number> = new Map()
  opened = 0
  closed = 0
  /** Lives as long as the process: nothing may stay on it. */
  readonly shutdown: AbortController = new AbortController()
  readonly #random: () => number
  readonly #batcher = createBatcher<number, number>({
    name: 'soak',
    maxBatchSize: 16,
    maxConcurrency: 3,
    run: async (inputs, batch) => {
      for (const item of batch.items) assert.ok(item.run(() => note.get()))
      // The guard of stores warns of this, once; it is on here as it is in development.
      assert.equal(session.getStore(), undefined)
      await new Promise((resolve) => setImmediate(resolve))
      if (batch.size > 1 && this.#isOneOf(50)) throw new Error('the batch failed')
      return inputs.map((input) => (input % 20 === 0 ? new Error('this item failed') : input))
    },
  })

  constructor(random: () => number) {
    this.#random = random
  }

  get stats(): { readonly queued: number; readonly inFlight: number } {
    return this.#batcher.stats()
  }

  /** Serves `count` requests, so many at a time. */
  async serve(count: number, concurrency: number): Promise<void> {
    let next = 0
    const worker = async (): Promise<void> => {
      while (next < count) {
        next += 1
        await this.#request()
      }
    }
    await Promise.all(Array.from({ length: concurrency }, worker))
    await this.#batcher.drain()
  }

  async #request(): Promise<void> {
    const number = (this.opened += 1)
    const who = `tenant ${number % 4}`
    const client = new AbortController()
    const options = {
      signal: this.#isOneOf(3) ? this.shutdown.signal : client.signal,
      entries: [tenant.of(who), note.of({ number })],
      ...(this.#isOneOf(10) ? { timeout: 0.2 + this.#random() } : {}),
    }
    const ending = await session.run({ number }, () =>
      runRequest(options, async (scope) => {
        scope.onClose(() => (this.closed += 1))
        if (this.#isOneOf(8)) setImmediate(() => client.abort(new Error('the client left')))
        const result = await this.#handle(number, scope)
        assert.equal(tenant.get(), who)
        return result
      }),
    )
    this.endings.set(ending, (this.endings.get(ending) ?? 0) + 1)
  }

  async #handle(number: number, scope: Scope): Promise<string> {
    if (this.#isOneOf(4)) onAbort(this.shutdown.signal, () => note.get())
    if (this.#isOneOf(4)) onAbort(scope.signal, () => note.get())
    if (this.#isOneOf(10)) void detach(async () => tenant.get(), { keep: [tenant] })
    // Nobody waits for it; the request stays open for it.
    if (this.#isOneOf(10)) void this.#ended(-number)
    if (this.#isOneOf(4)) {
      return run([note.of({ number })], () => {
        assert.equal(current().parent, scope)
        return this.#ended(number)
      })
    }
    // Node 22 knows no `using` yet, and this program runs as it stands here.
    const snapshot = Snapshot.capture()
    const ending = await this.#ended(number)
    assert.ok(snapshot.run(() => note.get()))
    snapshot.release()
    return ending
  }

  async #ended(number: number): Promise<string> {
    const own = new AbortController()
    if (this.#isOneOf(10)) queueMicrotask(() => own.abort(new Error('given up')))
    const submitted = this.#batcher.submit(number, {
      ...(this.#isOneOf(2) ? { signal: own.signal } : {}),
      ...(this.#isOneOf(20) ? { timeout: 0.1 } : {}),
    })
    try {
      assert.equal(await submitted, number)
      return 'fulfilled'
    } catch (error) {
      const { code, message } = error as BatcherError
      return code ?? message
    }
  }

  #isOneOf(count: number): boolean {
    return this.#random() * count < 1
  }
}
