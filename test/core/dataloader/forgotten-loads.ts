/** Loads keys and looks at no promise; prints what was unhandled by it, case by case. */
import { runRequest } from '@heddle/context'
import { createBatcher } from '@heddle/core'
import { DataLoader, type DataLoaderOptions } from '@heddle/core/dataloader'

import { ended, turn } from '../../support/crank.ts'

let unhandled: string[] = []
process.on('unhandledRejection', ({ cause, message }: Error) => {
  unhandled.push(cause instanceof Error ? cause.message : message)
})

/** A loader whose every key fails alone. */
function failing(options: DataLoaderOptions<number, number> = {}): DataLoader<number, number> {
  return new DataLoader(async (keys) => keys.map(() => new Error('no key')), options)
}

/** Loads a key as often in one request, in two tasks. */
function forget(loader: DataLoader<number, number>, times: number): Promise<void> {
  return runRequest({}, async () => {
    for (let n = 0; n < times; n += 1) void loader.load(1)
    await turn()
  })
}

const cases: Record<string, () => Promise<unknown>> = {
  'of a key, loaded once': () => forget(failing(), 1),
  'of a key, remembered': () => forget(failing(), 2),
  'of a key, in a `cacheMap` for all': async () => {
    const loader = failing({ cacheMap: new Map() })
    await forget(loader, 1)
    await forget(loader, 1)
  },
  'of a batch, remembered': () =>
    forget(new DataLoader<number, number>(() => Promise.reject(new Error('down'))), 2),
  'though another key of its wave was remembered': () =>
    runRequest({}, async () => {
      const loader = failing()
      loader.prime(0, 10)
      void loader.load(1)
      await loader.load(0)
    }),
  'though a batch function of several requests has loaded it': () => {
    const loader = failing()
    const batcher = createBatcher<number, number>({
      name: 'careless',
      run: (inputs) => {
        void loader.load(1)
        return inputs
      },
    })
    return Promise.all([1, 2].map((key) => runRequest({}, () => batcher.submit(key))))
  },
  'but not if somebody looks, or it is primed': () =>
    runRequest({}, async () => {
      const loader = failing()
      await Promise.all([ended(loader.load(1)), ended(loader.load(1)), loader.loadMany([1, 2])])
      loader.prime(3, new Error('primed'))
    }),
  'but not if the request has left': async () => {
    const leaving = new AbortController()
    const { promise, resolve } = Promise.withResolvers<number[]>()
    const loader = new DataLoader<number, number>(() => promise)
    await runRequest({ signal: leaving.signal }, async () => {
      void loader.load(1)
      void loader.load(1)
      await turn()
      void loader.load(1)
      leaving.abort(new Error('left'))
    })
    resolve([1])
  },
}

const results: Record<string, readonly string[]> = {}
for (const [what, run] of Object.entries(cases)) {
  unhandled = []
  await run()
  await turn()
  await turn()
  results[what] = unhandled
}
console.log(JSON.stringify(results))
