import { type Batch, type BatcherError, createBatcher } from '@heddle/core'

interface Input {
  readonly id: number
  readonly kind: string
}

const PRIORITIES = ['high', 'normal', 'low'] as const

/** Items of every kind that a batcher knows, with aborts, deadlines and faults at random. */
export class Flood {
  /** How many ended in which way. */
  readonly endings: Map<string, number> = new Map()
  submitted = 0
  #settled = 0
  #wrong = 0
  #unhandled = 0
  #mostInFlight = 0
  #inFlight = 0
  readonly #random: () => number
  readonly #batcher = createBatcher<Input, string>({
    name: 'flood',
    maxBatchSize: 16,
    maxConcurrency: 3,
    maxQueueSize: 200,
    cost: ({ id }) => 1 + (id % 3),
    maxBatchCost: 30,
    partitionBy: ({ id }) => String(id % 3),
    tenantBy: ({ id }) => String(id % 7),
    dedupeBy: ({ kind }) => kind,
    onFailure: 'bisect',
    run: (inputs, batch) => this.#run(inputs, batch),
  })

  constructor(random: () => number) {
    this.#random = random
    process.on('unhandledRejection', () => (this.#unhandled += 1))
  }

  /** Sends so many items, so many callers at a time. */
  async send(count: number, callers: number): Promise<void> {
    const last = this.submitted + count
    const caller = async (): Promise<void> => {
      while (this.submitted < last) await this.#submit()
    }
    await Promise.all(Array.from({ length: callers }, caller))
    await this.#batcher.drain()
  }

  *problems(): Generator<string | true> {
    const { queued, inFlight, duplicates, submitted, fulfilled, rejected } = this.#batcher.stats()
    const counted = Object.values(rejected).reduce((sum, count) => sum + count, fulfilled)
    yield (queued === 0 && inFlight === 0 && duplicates === 0) || 'something is still there'
    yield this.#settled === submitted || `${submitted} were submitted, ${this.#settled} settled`
    yield counted === submitted || `${submitted} were submitted, the stats have ${counted}`
    yield this.#wrong === 0 || `${this.#wrong} got the answer of another, or two`
    yield this.#unhandled === 0 || `${this.#unhandled} rejections were not handled`
    yield this.#mostInFlight <= 3 || `${this.#mostInFlight} batches were in flight`
  }

  async #submit(): Promise<void> {
    const id = (this.submitted += 1)
    // Some share their work with another that is about as old.
    const kind = this.#isOneOf(5) ? `shared ${id >> 4}` : `own ${id}`
    const client = new AbortController()
    if (this.#isOneOf(6)) setImmediate(() => client.abort(new Error('the client left')))
    let told = 0
    const answer = this.#batcher.submit(
      { id, kind },
      {
        signal: client.signal,
        priority: PRIORITIES[id % 3] ?? 'normal',
        ...(this.#isOneOf(5) ? { timeout: 0.5 + 4 * this.#random() } : {}),
      },
    )
    const ending = await answer.then(
      (result) => {
        told += 1
        if (result !== answerTo(kind)) this.#wrong += 1
        return 'answered'
      },
      (error: Partial<BatcherError>) => {
        told += 1
        return error.code ?? error.message ?? 'unknown'
      },
    )
    if (told !== 1) this.#wrong += 1
    this.#settled += 1
    this.endings.set(ending, (this.endings.get(ending) ?? 0) + 1)
    // Else those would be most of them.
    if (ending === 'QUEUE_FULL') await new Promise((resolve) => setImmediate(resolve))
  }

  async #run(inputs: readonly Input[], { signal }: Batch<Input>): Promise<(string | Error)[]> {
    this.#inFlight += 1
    this.#mostInFlight = Math.max(this.#mostInFlight, this.#inFlight)
    try {
      await new Promise((resolve) => setImmediate(resolve))
      if (signal.aborted) throw signal.reason
      if (this.#isOneOf(40)) throw new Error('the batch failed')
      if (this.#isOneOf(60)) return []
      return inputs.map(({ id, kind }) =>
        id % 50 === 0 ? new Error('this item failed') : answerTo(kind),
      )
    } finally {
      this.#inFlight -= 1
    }
  }

  #isOneOf(count: number): boolean {
    return this.#random() * count < 1
  }
}

/** The answer to an input, which no other kind of input has. */
function answerTo(kind: string): string {
  return `answer to ${kind}`
}
