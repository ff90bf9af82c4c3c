import {
  type Batch,
  type BatcherHooks,
  createBatcher,
  createContinuousBatcher,
  createStreamBatcher,
} from '@heddle/core'
import { virtualClock } from '@heddle/core/testing'

/** What callers, batch functions and clocks do; the same each time. */
export type Action =
  | {
      readonly kind: 'submit'
      readonly to: 'plain' | 'shared' | 'stream' | 'continuous'
      readonly input: number
      readonly timeout: number | undefined
    }
  | { readonly kind: 'leave'; readonly who: number }
  | {
      readonly kind: 'end'
      readonly which: number
      readonly how: 'well' | 'item' | 'short' | 'throw'
    }
  | { readonly kind: 'wait'; readonly time: number }

type How = (Action & { readonly kind: 'end' })['how']

/** Everything that callers and batch functions can see, in its order. */
export async function observe(actions: readonly Action[]): Promise<string[]> {
  using clock = virtualClock()
  const start = clock.now()
  const log: string[] = []
  const note = (text: string): void => void log.push(`${clock.now() - start} ${text}`)
  const open: { readonly end: (how: How) => void }[] = []
  const callers: AbortController[] = []

  const run = (inputs: readonly number[], batch: Batch<number>): Promise<(number | Error)[]> => {
    note(`${batch.id} runs ${inputs.join()} since ${batch.reason}`)
    return new Promise((resolve, reject) => {
      open.push({
        end(how) {
          if (how === 'throw') reject(new Error(`${batch.id} failed`))
          else if (how === 'short') resolve([])
          else if (how === 'item') resolve(inputs.map((n) => (n % 2 ? new Error(`odd ${n}`) : n)))
          else resolve([...inputs])
        },
      })
    })
  }
  const common = { maxQueueSize: 4, linger: 0 } as const
  const plain = createBatcher({ ...common, name: 'plain', maxBatchSize: 3, maxConcurrency: 2, run })
  const shared = createBatcher({
    ...common,
    name: 'shared',
    maxBatchSize: 4,
    dedupeBy: String,
    onFailure: 'bisect',
    abortGrace: 5,
    run,
  })
  const stream = createStreamBatcher<number, number>({
    ...common,
    name: 'stream',
    maxBatchSize: 2,
    async *run(inputs, batch) {
      for (const [index, input] of inputs.entries()) yield [index, input]
      const results = await run(inputs, batch)
      for (const [index, result] of results.entries()) yield [index, result]
    },
  })
  const continuous = createContinuousBatcher<number, { left: number }, number>({
    name: 'continuous',
    maxActive: 2,
    maxQueueSize: 4,
    start(input) {
      if (input === 7) throw new Error('cannot start')
      return { left: 1 + (input % 3) }
    },
    step: (active) =>
      active.map(({ state, item }) => {
        state.left -= 1
        if (item.input === 5) return { error: new Error('item 5') }
        return { chunk: state.left, done: state.left === 0 }
      }),
    end: (state) => note(`continuous ends ${state.left}`),
  })
  const batchers = [plain, shared, stream, continuous]

  const told = async (who: string, result: Promise<unknown>): Promise<void> => {
    try {
      note(`${who} gets ${String(await result)}`)
    } catch (error) {
      const { code, message, cause } = error as Error & { readonly code?: unknown }
      note(`${who} fails: ${String(code)}, ${message}, ${String(cause)}`)
    }
  }
  const all = async (chunks: AsyncIterable<number>): Promise<number[]> => {
    const taken: number[] = []
    for await (const chunk of chunks) taken.push(chunk)
    return taken
  }
  const submit = ({ to, input, timeout }: Action & { kind: 'submit' }): void => {
    const who = `${to} ${callers.length}`
    const client = new AbortController()
    callers.push(client)
    const options = { signal: client.signal, ...(timeout === undefined ? {} : { timeout }) }
    if (to === 'plain') void told(who, plain.submit(input, options))
    else if (to === 'shared') void told(who, shared.submit(input, options))
    else void told(who, all((to === 'stream' ? stream : continuous).stream(input, options)))
  }

  for (const action of actions) {
    if (action.kind === 'submit') submit(action)
    else if (action.kind === 'leave') callers[action.who]?.abort(new Error('left'))
    else if (action.kind === 'wait') await clock.advance(action.time)
    else open.splice(action.which % Math.max(1, open.length), 1)[0]?.end(action.how)
    // Those who come together wait together.
    if (action.kind === 'end') await clock.settle()
  }
  const closing = new Set(batchers)
  for (const batcher of batchers) void batcher.close().then(() => closing.delete(batcher))
  while (closing.size > 0) {
    open.shift()?.end('well')
    await clock.advance(1)
  }
  for (const batcher of batchers) {
    const { submitted, fulfilled, rejected, queued, inFlight } = batcher.stats()
    note(JSON.stringify({ submitted, fulfilled, rejected, queued, inFlight }))
  }
  return log
}

/** An instrument that behaves: what it sees must not depend on those beside it, either. */
export function witness(log: string[]): BatcherHooks<string> {
  let notes = 0
  return {
    name: 'witness',
    onSubmit({ batcher, queueSize }) {
      notes += 1
      log.push(`submit ${batcher} ${queueSize} as ${notes}`)
      return `note ${notes}`
    },
    async aroundBatch({ id, size, places }, members, next) {
      log.push(`start ${id} ${size} ${String(places)}: ${members.join()}`)
      try {
        await next()
        log.push(`end ${id}`)
      } catch (error) {
        log.push(`end ${id}: ${String(error)}`)
      }
    },
    onSettle({ outcome, kind, timing }, noted) {
      log.push(`settle ${outcome} ${kind} ${timing?.batchId} ${noted}`)
    },
  }
}
