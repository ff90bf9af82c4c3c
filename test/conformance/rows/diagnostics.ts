import { AsyncLocalStorage } from 'node:async_hooks'
import { channel, tracingChannel } from 'node:diagnostics_channel'

import { listener } from '../mends.ts'
import { inA, inB, seen, sleep, told } from '../probe.ts'
import { type Group, mendedRow, row } from '../row.ts'

const published = channel('conformance')
const traced = tracingChannel('conformance')
const platform = new AsyncLocalStorage<{ readonly name: string }>()

const read = (): string => platform.getStore()?.name ?? '∅'

/** Calls `observe` while the storage is bound to the channel, with `S` for what is published. */
async function withBoundStore(observe: () => Promise<string>): Promise<string> {
  published.bindStore(platform, () => ({ name: 'S' }))
  traced.start.bindStore(platform, () => ({ name: 'S' }))
  try {
    return await observe()
  } finally {
    published.unbindStore(platform)
    traced.start.unbindStore(platform)
  }
}

export const diagnostics: Group = {
  title: '`node:diagnostics_channel`',
  rows: [
    mendedRow('subscriber of A, published by B', 'B', listener, (wrapped) => {
      const { promise, resolve } = Promise.withResolvers<string>()
      const subscriber = inA(() => wrapped(() => resolve(seen())))
      inA(() => published.subscribe(subscriber))
      inB(() => published.publish({}))
      published.unsubscribe(subscriber)
      return promise
    }),
    row('`bindStore` and `runStores`', 'S', () =>
      withBoundStore(async () => published.runStores({}, read)),
    ),
    row('`bindStore` and `runStores`, after an `await`', 'S', () =>
      withBoundStore(() => published.runStores({}, () => sleep(1).then(read))),
    ),
    row('`tracePromise`: the store in `asyncEnd`', 'S', () =>
      withBoundStore(async () => {
        const { promise, resolve } = Promise.withResolvers<string>()
        const subscriber = (): void => resolve(read())
        traced.asyncEnd.subscribe(subscriber)
        await traced.tracePromise(() => sleep(1), {})
        traced.asyncEnd.unsubscribe(subscriber)
        return promise
      }),
    ),
    row('caller of `tracePromise`, afterwards', 'B', () =>
      withBoundStore(() =>
        inB(async () => {
          await traced.tracePromise(() => sleep(1), {})
          return seen()
        }),
      ),
    ),
    row('`traceCallback`: the callback', 'A', () =>
      told((tell) =>
        inA(() =>
          traced.traceCallback(
            (callback: () => void) => setTimeout(callback, 1),
            0,
            {},
            undefined,
            tell,
          ),
        ),
      ),
    ),
  ],
}
