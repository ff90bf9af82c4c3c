/** The batchers that are compared. All start batches of at most 64, and give each caller its own input back. */
import { createBatcher } from '@heddle/core'
import { AsyncBatcher } from '@tanstack/pacer'
import { create, indexedResolver, windowedFiniteBatchScheduler } from '@yornaath/batshit'
import DataLoader from 'dataloader'
import { Effect, Exit, Request, RequestResolver } from 'effect'
import { Batcher as PromiseBatcher } from 'promise-batcher'

import { HandWritten, IsolatedByHand, TickBatcher } from './hand-written.ts'

export type Load = (n: number) => Promise<number>

const MOST = 64

function heddle(linger: number | 'auto'): Load {
  const batcher = createBatcher<number, number>({
    name: 'items',
    run: (inputs) => inputs,
    linger,
    coalesce: 'microtask',
    maxBatchSize: MOST,
    // As the others: as many batches at a time as there are.
    maxConcurrency: Infinity,
  })
  return (n) => batcher.submit(n)
}

function dataloader(): Load {
  const loader = new DataLoader<number, number>(async (keys) => [...keys], {
    cache: false,
    maxBatchSize: MOST,
  })
  return (n) => loader.load(n)
}

function batshit(): Load {
  const batcher = create({
    fetcher: async (keys: number[]) => Object.fromEntries(keys.map((key) => [key, key])),
    resolver: indexedResolver<Record<number, number>, number>(),
    scheduler: windowedFiniteBatchScheduler({ windowMs: 0, maxBatchSize: MOST }),
  })
  return (n) => batcher.fetch(n) as Promise<number>
}

function promiseBatcher(): Load {
  const batcher = new PromiseBatcher<number, number>({
    batchingFunction: async (inputs) => [...inputs],
    maxBatchSize: MOST,
    queuingDelay: 0,
  })
  return (n) => batcher.getResult(n)
}

interface GetNumber extends Request.Request<number> {
  readonly _tag: 'GetNumber'
  readonly n: number
}

function effect(): Load {
  const GetNumber = Request.tagged<GetNumber>('GetNumber')
  const resolver = RequestResolver.make<GetNumber>((entries) =>
    Effect.forEach(entries, (entry) => Request.complete(entry, Exit.succeed(entry.request.n)), {
      discard: true,
    }),
  )
  return (n) => Effect.runPromise(Effect.request(GetNumber({ n }), resolver))
}

interface Waiting {
  readonly n: number
  readonly resolve: (n: number) => void
}

/** Its `addItem` gives no result of the item, so that is brought back by hand. */
function pacer(): Load {
  const batcher = new AsyncBatcher<Waiting>(
    async (items) => {
      for (const { n, resolve } of items) resolve(n)
    },
    { maxSize: MOST, wait: 0 },
  )
  return (n) => new Promise((resolve) => void batcher.addItem({ n, resolve }))
}

function byHand(): Load {
  const batcher = new HandWritten<number, number>(async (inputs) => [...inputs], MOST)
  return (n) => batcher.submit(n)
}

function isolatedByHand(): Load {
  const batcher = new IsolatedByHand<number, number>(async (inputs) => [...inputs], MOST)
  return (n) => batcher.submit(n)
}

function byTick(): Load {
  const batcher = new TickBatcher<number, number>(async (inputs) => [...inputs])
  return (n) => batcher.submit(n)
}

export const BASE = 'DataLoader 2.2'
export const OWN = 'Heddle'

/** They wait for a timer in each burst. */
export const WAITING: ReadonlySet<string> = new Set([
  'promise-batcher',
  'batshit',
  'TanStack pacer',
])

export const subjects: Readonly<Record<string, () => Load>> = {
  'by hand, 20 lines: the floor': byHand,
  'by hand, isolated: the floor of that': isolatedByHand,
  [BASE]: dataloader,
  // What a ratio of two equal batchers comes out as.
  'DataLoader, again': dataloader,
  [OWN]: () => heddle('auto'),
  'Heddle, linger 0': () => heddle(0),
  'a batch per tick, as Prisma': byTick,
  'promise-batcher': promiseBatcher,
  batshit,
  'TanStack pacer': pacer,
  'Effect 4': effect,
}
