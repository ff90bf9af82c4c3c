import assert from 'node:assert/strict'

import { type Batcher, createBatcher } from '@heddle/core'
import { type Call, crank, type VirtualClock } from '@heddle/core/testing'

import { ended } from '../../support/crank.ts'
import { Reference } from './reference.ts'
import type { Settings, Submit } from './work.ts'

export type Operation =
  | { readonly do: 'submit'; readonly submit: Omit<Submit, 'id'> }
  | { readonly do: 'abort'; readonly which: number }
  | { readonly do: 'advance'; readonly milliseconds: number }
  | {
      readonly do: 'finish'
      readonly which: number
      readonly how: 'throw' | readonly ('ok' | 'error')[]
    }
  | { readonly do: 'drain' }
  /** `timeout` in ms; 0 for none. */
  | { readonly do: 'close'; readonly timeout: number }
  | { readonly do: 'configure'; readonly patch: Partial<Settings> }

const PRIORITIES = ['high', 'normal', 'low'] as const

/** The engine and the reference, to which the same is done. */
export class Both {
  readonly #clock: VirtualClock
  readonly #start: number
  readonly #batcher: Batcher<Submit, string>
  readonly #calls: Call<Submit, string>[]
  readonly #reference: Reference
  readonly #controllers: AbortController[] = []
  readonly #ends: (string | undefined)[] = []
  /** How often each caller was told. */
  readonly #told: number[] = []
  readonly #over = new Set<number>()
  /** Of each `drain` and `close`. */
  readonly #resolved: boolean[] = []
  /** Calls that have been compared. */
  #compared = 0

  constructor(clock: VirtualClock, settings: Settings) {
    this.#clock = clock
    this.#start = clock.now()
    const { run, calls } = crank<Submit, string>()
    this.#calls = calls
    const { hasTenants, dedupes, ...options } = settings
    this.#batcher = createBatcher({
      name: 'modelled',
      run,
      ...options,
      cost: (submit) => submit.cost,
      partitionBy: (submit) => submit.partition,
      ...(hasTenants ? { tenantBy: (submit: Submit) => submit.tenant } : {}),
      ...(dedupes ? { dedupeBy: (submit: Submit) => submit.text } : {}),
    })
    this.#reference = new Reference({ ...settings })
  }

  async apply(operation: Operation): Promise<void> {
    switch (operation.do) {
      case 'submit':
        this.#submit({ ...operation.submit, id: this.#ends.length })
        break
      case 'abort':
        this.#controllers[operation.which % this.#controllers.length]?.abort(new Error('aborted'))
        this.#reference.abort(operation.which % this.#controllers.length)
        break
      case 'advance':
        await this.#clock.advance(operation.milliseconds)
        this.#reference.advance(operation.milliseconds)
        break
      case 'finish':
        this.#finish(operation.which, operation.how)
        break
      case 'drain':
        this.#note(this.#batcher.drain())
        this.#reference.drain()
        break
      case 'close': {
        const { timeout } = operation
        this.#note(this.#batcher.close(timeout === 0 ? {} : { timeout }))
        this.#reference.close(timeout === 0 ? Infinity : timeout)
        break
      }
      case 'configure':
        this.#batcher.configure(operation.patch)
        this.#reference.configure(operation.patch)
        break
    }
    await this.#clock.settle()
    this.#assertSame()
  }

  /** Lets everything end, and looks at what is left. */
  async end(): Promise<void> {
    while (this.#reference.queued > 0 || this.#reference.inFlight > 0) {
      const running = this.#calls.findIndex((_, n) => !this.#over.has(n))
      // Nothing waits for longer than this for a batch to start.
      if (running < 0) await this.apply({ do: 'advance', milliseconds: 600 })
      else await this.apply({ do: 'finish', which: 0, how: ['ok'] })
    }
    assert.ok(this.#told.every((times) => times === 1))
    const { queued, inFlight, duplicates, oldest } = this.#batcher.stats()
    assert.deepEqual([queued, inFlight, duplicates, oldest], [0, 0, 0, 0])
    assert.equal(this.#clock.timers, 0)
  }

  #note(promise: Promise<void>): void {
    const n = this.#resolved.push(false) - 1
    void promise.then(() => (this.#resolved[n] = true))
  }

  #submit(submit: Submit): void {
    const controller = new AbortController()
    this.#controllers.push(controller)
    const { id, priority, timeout } = submit
    this.#ends.push(undefined)
    this.#told.push(0)
    const answer = this.#batcher.submit(submit, {
      signal: controller.signal,
      priority: PRIORITIES[priority] ?? 'normal',
      ...(timeout === 0 ? {} : { timeout }),
    })
    void ended(answer).then((end) => {
      this.#ends[id] = String(end)
      this.#told[id] = (this.#told[id] ?? 0) + 1
    })
    this.#reference.submit(submit)
  }

  #finish(which: number, how: 'throw' | readonly ('ok' | 'error')[]): void {
    const running = this.#calls.map((_, n) => n).filter((n) => !this.#over.has(n))
    const n = running[which % running.length]
    if (n !== undefined) this.#finishCall(n, how)
  }

  #finishCall(n: number, how: 'throw' | readonly ('ok' | 'error')[]): void {
    const call = this.#calls[n]
    const modelled = this.#reference.calls[n]
    if (call === undefined || modelled === undefined) return
    this.#over.add(n)
    if (how === 'throw') {
      call.fail(new Error('thrown'))
      this.#reference.finish(modelled, how)
      return
    }
    const results = call.inputs.map((_, index) => how[index % how.length] ?? 'ok')
    call.finish(results.map((result) => (result === 'ok' ? result : new Error(result))))
    this.#reference.finish(modelled, results)
  }

  #assertSame(): void {
    const started = this.#calls.slice(this.#compared).map(({ inputs, batch }) => ({
      inputs: inputs.map(({ id }) => id),
      reason: batch.reason,
    }))
    const expected = this.#reference.calls.slice(this.#compared)
    assert.deepEqual(
      started,
      expected.map(({ inputs, reason }) => ({ inputs, reason })),
    )
    for (const { inputs } of this.#calls.slice(this.#compared)) {
      assert.equal(new Set(inputs.map(({ partition }) => partition)).size, 1)
    }
    this.#compared = this.#calls.length
    assert.deepEqual(
      this.#ends,
      this.#reference.callers.map(({ end }) => end),
    )
    assert.deepEqual(this.#resolved, this.#reference.closing.resolved)
    const { queued, inFlight } = this.#batcher.stats()
    assert.deepEqual([queued, inFlight], [this.#reference.queued, this.#reference.inFlight])
    assert.equal(this.#clock.now() - this.#start, this.#reference.now)
    this.#assertInvariants(inFlight)
  }

  /** What holds whatever the reference says. */
  #assertInvariants(inFlight: number): void {
    assert.equal(this.#calls.length - this.#over.size, inFlight)
    assert.ok(Math.max(0, ...this.#told) <= 1)
  }
}
