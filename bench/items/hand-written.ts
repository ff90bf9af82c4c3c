import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks'

type Run<I, O> = (inputs: readonly I[]) => Promise<readonly O[]>

interface Entry<I, O> {
  readonly input: I
  readonly resolve: (value: O) => void
  readonly reject: (reason: unknown) => void
}

/** Entries until the promises that are there have gone on; then they start, so many at a time. */
class Gathering<E> {
  #entries: E[] = []
  readonly #most: number
  readonly #start: (entries: E[]) => void

  constructor(most: number, start: (entries: E[]) => void) {
    this.#most = most
    this.#start = start
  }

  get isEmpty(): boolean {
    return this.#entries.length === 0
  }

  add(entry: E): void {
    this.#entries.push(entry)
  }

  readonly schedule = (): void => queueMicrotask(() => process.nextTick(this.#flush))

  readonly #flush = (): void => {
    const waiting = this.#entries
    this.#entries = []
    for (let from = 0; from < waiting.length; from += this.#most) {
      this.#start(waiting.slice(from, from + this.#most))
    }
  }
}

/** What anybody would write in a few minutes, and the least that a batcher can cost. */
export class HandWritten<I, O> {
  readonly #gathering: Gathering<Entry<I, O>>

  constructor(run: Run<I, O>, most: number) {
    this.#gathering = new Gathering(most, (entries) => void runAll(entries, run))
  }

  submit(input: I): Promise<O> {
    return new Promise((resolve, reject) => {
      if (this.#gathering.isEmpty) this.#gathering.schedule()
      this.#gathering.add({ input, resolve, reject })
    })
  }
}

const MANUAL = { requireManualDestroy: true }
const neutral = new AsyncResource('Neutral', MANUAL)
const batchStore = new AsyncLocalStorage<object>()

/** With the way back into its caller's context. */
class IsolatedEntry<I, O> extends AsyncResource implements Entry<I, O> {
  readonly input: I
  readonly promise: Promise<O>
  declare readonly resolve: Entry<I, O>['resolve']
  declare readonly reject: Entry<I, O>['reject']

  constructor(input: I) {
    super('Entry', MANUAL)
    this.input = input
    const { promise, resolve, reject } = Promise.withResolvers<O>()
    this.promise = promise
    this.resolve = resolve
    this.reject = reject
  }
}

/**
 * The same, but no caller's context is seen by the batch function, which has a store of its own, and each
 * entry leads back into its caller's: the least that isolation can cost.
 */
export class IsolatedByHand<I, O> {
  readonly #gathering: Gathering<IsolatedEntry<I, O>>
  readonly #run: Run<I, O>

  constructor(run: Run<I, O>, most: number) {
    this.#run = run
    this.#gathering = new Gathering(most, (entries) => void this.#runAll(entries))
  }

  submit(input: I): Promise<O> {
    const entry = new IsolatedEntry<I, O>(input)
    if (this.#gathering.isEmpty) neutral.runInAsyncScope(this.#gathering.schedule)
    this.#gathering.add(entry)
    return entry.promise
  }

  async #runAll(entries: readonly IsolatedEntry<I, O>[]): Promise<void> {
    await runAll(entries, (inputs) =>
      batchStore.run({ size: inputs.length }, () => this.#run(inputs)),
    )
    for (const entry of entries) entry.emitDestroy()
  }
}

/** A batch for each tick and key, as Prisma's client makes them for `findUnique`. */
export class TickBatcher<I, O> {
  readonly #batches = new Map<string, Entry<I, O>[]>()
  readonly #run: Run<I, O>

  constructor(run: Run<I, O>) {
    this.#run = run
  }

  submit(input: I, key = ''): Promise<O> {
    let batch = this.#batches.get(key)
    if (batch === undefined) {
      this.#batches.set(key, (batch = []))
      if (this.#batches.size === 1) process.nextTick(this.#flush)
    }
    const entries = batch
    return new Promise((resolve, reject) => entries.push({ input, resolve, reject }))
  }

  readonly #flush = (): void => {
    const batches = [...this.#batches.values()]
    this.#batches.clear()
    for (const batch of batches) void runAll(batch, this.#run)
  }
}

async function runAll<I, O>(entries: readonly Entry<I, O>[], run: Run<I, O>): Promise<void> {
  try {
    const results = await run(entries.map(({ input }) => input))
    for (const [index, { resolve }] of entries.entries()) resolve(results[index] as O)
  } catch (error) {
    for (const { reject } of entries) reject(error)
  }
}
