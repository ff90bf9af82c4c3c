import assert from 'node:assert/strict'

import { createContinuousBatcher, type StepResult } from '@heddle/core'
import { type VirtualClock, virtualClock } from '@heddle/core/testing'

import { type Loom, loom } from './loom.ts'

const MAX_ACTIVE = 3
const MAX_BUFFERED = 2
const MAX_STALL = 20

/** What a step makes of an item, by turns: its chunks, and whether it ends or fails. */
export type Make = 'nothing' | 'chunk' | 'chunks' | 'done' | 'error'

export type Action =
  | { readonly kind: 'stream'; readonly partition: string }
  | { readonly kind: 'step'; readonly which: number; readonly makes: readonly Make[] }
  | { readonly kind: 'fail'; readonly which: number }
  | { readonly kind: 'take'; readonly who: number }
  | { readonly kind: 'leave'; readonly who: number }
  | { readonly kind: 'wait' }

/** One consumer, what was made for it, and what it has seen. */
interface Consumer {
  readonly input: string
  readonly stream: AsyncIterableIterator<number>
  readonly made: number[]
  /** How its item has ended, as its steps have it. */
  end: 'done' | 'error' | 'failed' | undefined
  left: boolean
  readonly taken: number[]
  /** How its stream has ended, each time that it was told. */
  readonly ends: string[]
}

/** A continuous batcher that is driven at random, and held to what holds for all of them. */
export class RandomRun {
  readonly clock: VirtualClock = virtualClock()
  readonly work: Loom<string, number> = loom()
  readonly consumers: Consumer[] = []
  readonly #batcher = createContinuousBatcher({
    name: 'random',
    ...this.work.functions,
    maxActive: MAX_ACTIVE,
    maxBuffered: MAX_BUFFERED,
    maxStall: MAX_STALL,
    partitionBy: (input: string) => input.slice(0, 1),
  })
  readonly #finished = new Set<number>()
  #chunks = 0

  async do(one: Action): Promise<void> {
    if (one.kind === 'stream') this.#stream(one.partition)
    else if (one.kind === 'take') this.#take(this.#consumer(one.who))
    else if (one.kind === 'leave') this.#leave(this.#consumer(one.who))
    else if (one.kind === 'wait') await this.clock.advance(MAX_STALL / 2)
    else if (one.kind === 'step') this.#finish(one.which, one.makes)
    else this.#fail(one.which)
    await this.clock.settle()
    this.#check()
  }

  /** Everybody reads on, and every item ends. */
  async end(): Promise<void> {
    for (let round = 0; round < 100 && this.#batcher.stats().inFlight > 0; round += 1) {
      for (const consumer of this.consumers) if (!consumer.left) this.#take(consumer)
      while (this.#open().length > 0) this.#finish(0, ['done'])
      await this.clock.settle()
      this.#check()
    }
    for (const consumer of this.consumers) {
      while (!consumer.left && consumer.ends.length === 0) {
        this.#take(consumer)
        await this.clock.settle()
      }
    }
    for (const { made, taken, ends, end, left } of this.consumers) {
      if (left) continue
      assert.deepEqual(taken, made.slice(0, taken.length))
      const [first, ...more] = ends
      assert.ok(more.every((other) => other === 'done'))
      // Who was too slow is told so, whatever a step would have made.
      if (first === 'DEADLINE_EXCEEDED') continue
      assert.deepEqual(taken, made)
      assert.equal(first, { done: 'done', error: 'own', failed: 'BATCH_FAILED' }[end ?? 'done'])
    }
    assert.deepEqual(
      this.work.states.map(({ ends }) => ends),
      this.work.states.map(() => 1),
    )
    const { inFlight, queued } = this.#batcher.stats()
    assert.deepEqual([inFlight, queued], [0, 0])
    assert.equal(this.clock.timers, 0)
  }

  #check(): void {
    const open = this.#open()
    const stepping = new Set(open.flatMap((n) => this.work.steps[n]?.inputs ?? []))
    // One step at a time in a partition, of its items alone.
    const partitions = open.map((n) => [
      ...new Set(this.work.steps[n]?.inputs.map((input) => input.slice(0, 1))),
    ])
    assert.ok(partitions.every((one) => one.length === 1))
    assert.equal(new Set(partitions.flat()).size, open.length)
    const active = this.work.states.filter(({ ends }) => ends === 0)
    assert.ok(active.length <= MAX_ACTIVE)
    assert.equal(this.#batcher.stats().inFlight, active.length)
    // Nobody waits for a place that is free, nor for a step while there is room for its chunks.
    if (active.length < MAX_ACTIVE) assert.equal(this.#batcher.stats().queued, 0)
    for (const { input } of active) {
      const consumer = this.consumers.find((one) => one.input === input)
      if (consumer === undefined || stepping.has(input)) continue
      const buffered = consumer.made.length - consumer.taken.length
      const mayJoinNext = partitions.flat().includes(input.slice(0, 1))
      assert.ok(mayJoinNext || buffered >= MAX_BUFFERED)
    }
  }

  #stream(partition: string): void {
    const input = `${partition}${this.consumers.length}`
    const stream = this.#batcher.stream(input)
    this.consumers.push({
      input,
      stream,
      made: [],
      end: undefined,
      left: false,
      taken: [],
      ends: [],
    })
  }

  #consumer(n: number): Consumer | undefined {
    return this.consumers[n % Math.max(1, this.consumers.length)]
  }

  #take(consumer: Consumer | undefined): void {
    if (consumer === undefined) return
    void consumer.stream.next().then(
      ({ done, value }) => {
        if (done) consumer.ends.push('done')
        else consumer.taken.push(value)
      },
      (error: Error & { readonly code?: string }) => {
        consumer.ends.push(error.code ?? error.message)
      },
    )
  }

  #leave(consumer: Consumer | undefined): void {
    if (consumer === undefined) return
    consumer.left = true
    void consumer.stream.return?.()
  }

  #open(): readonly number[] {
    return [...this.work.steps.keys()].filter((n) => !this.#finished.has(n))
  }

  #close(which: number) {
    const open = this.#open()
    const n = open[which % Math.max(1, open.length)]
    const step = n === undefined ? undefined : this.work.steps[n]
    if (n !== undefined) this.#finished.add(n)
    return step
  }

  #finish(which: number, makes: readonly Make[]): void {
    const step = this.#close(which)
    step?.finish(...step.inputs.map((input, n) => this.#result(input, makes[n % makes.length])))
  }

  #fail(which: number): void {
    const step = this.#close(which)
    for (const input of step?.inputs ?? []) this.#ends(input, 'failed')
    step?.fail(new Error('on purpose'))
  }

  #result(input: string, what: Make | undefined): StepResult<number> {
    const consumer = this.consumers.find((one) => one.input === input)
    const next = (): number => {
      const chunk = (this.#chunks += 1)
      if (consumer && !consumer.left) consumer.made.push(chunk)
      return chunk
    }
    if (what === 'chunk') return { chunk: next() }
    if (what === 'chunks') return { chunks: [next(), next(), next()] }
    if (what === 'nothing') return undefined
    this.#ends(input, what === 'error' ? 'error' : 'done')
    return what === 'error'
      ? { chunk: next(), error: new Error('own') }
      : { chunk: next(), done: true }
  }

  #ends(input: string, how: 'done' | 'error' | 'failed'): void {
    const consumer = this.consumers.find((one) => one.input === input)
    if (consumer) consumer.end ??= how
  }
}
