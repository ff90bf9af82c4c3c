import { runRequest } from '@heddle/context'
import { type Batcher, type BatcherOptions, createBatcher } from '@heddle/core'

import { HandWritten } from '../items/hand-written.ts'

/** What grows. */
export interface Load {
  readonly name: string
  /** Of what there are more and more. */
  readonly sizes: readonly number[]
  /** Of each. */
  readonly items: number
  /** Ready to submit the item with a number below `size` × `items`. */
  readonly make: (size: number) => (n: number) => Promise<number>
}

/** ms; never reached. */
const DEADLINE = 600_000
const MOST_ITEMS = 2e6

export const BASE = 'items in the queue'

/** @param most - of items at once, a power of ten */
export function loads(most: number): Load[] {
  const upTo = (last: number): number[] =>
    [1e2, 1e3, 1e4, 1e5, 1e6].filter((size) => size <= Math.min(last, most))
  const queues = { sizes: upTo(1e6).slice(1), items: 1 }
  const some = { sizes: upTo(1e5).slice(1), items: 1 }
  return [
    { name: BASE, ...queues, make: () => submitTo(create()) },
    { name: 'the same in an array, by hand', ...queues, make: handWritten },
    { name: 'the same, each with a signal and a deadline', ...some, make: limited },
    { name: 'the same, all with one signal', ...some, make: sharing },
    { name: 'partitions of 8 items', sizes: upTo(1e5), items: 8, make: partitioned },
    { name: 'tenants with 8 items', sizes: upTo(1e4), items: 8, make: fair },
    { name: 'requests at once', sizes: upTo(1e4), items: 1, make: requests },
  ]
}

function create(options: Partial<BatcherOptions<number, number>> = {}): Batcher<number, number> {
  return createBatcher({
    name: 'scale',
    run: (inputs) => inputs,
    maxQueueSize: MOST_ITEMS,
    ...options,
  })
}

function submitTo(batcher: Batcher<number, number>): (n: number) => Promise<number> {
  return (n) => batcher.submit(n)
}

/** The least that waiting costs: promises in an array, which the collector has to look at too. */
function handWritten(): (n: number) => Promise<number> {
  const batcher = new HandWritten<number, number>(async (inputs) => inputs, 64)
  return (n) => batcher.submit(n)
}

function limited(): (n: number) => Promise<number> {
  const batcher = create()
  return (n) => batcher.submit(n, { signal: new AbortController().signal, timeout: DEADLINE })
}

function sharing(): (n: number) => Promise<number> {
  const batcher = create()
  const { signal } = new AbortController()
  return (n) => batcher.submit(n, { signal })
}

function partitioned(size: number): (n: number) => Promise<number> {
  return submitTo(create({ partitionBy: (n) => `${n % size}` }))
}

function fair(size: number): (n: number) => Promise<number> {
  return submitTo(create({ tenantBy: (n) => `${n % size}` }))
}

function requests(size: number): (n: number) => Promise<number> {
  const batcher = create()
  const signals = Array.from({ length: size }, () => new AbortController().signal)
  return (n) => runRequest({ signal: signals[n]! }, () => batcher.submit(n))
}
