import { AsyncLocalStorage } from 'node:async_hooks'

import { createKey, runRequest } from '@heddle/context'

export const REQUESTS = 50
/** One may be left on a stack or in a register. */
export const SLACK = 1

const payload = createKey<object>('test.markers.payload')
const foreign = new AsyncLocalStorage<object>()

/**
 * Runs requests that each carry a marker, in a key and in a store of somebody else; gives back weak
 * references to the markers.
 */
export async function markersOf(
  request: (n: number, marker: object) => Promise<unknown>,
): Promise<readonly WeakRef<object>[]> {
  const markers: WeakRef<object>[] = []
  await Promise.all(
    Array.from({ length: REQUESTS }, async (_, n) => {
      const marker = { n }
      markers.push(new WeakRef(marker))
      await foreign.run(marker, () =>
        runRequest({ entries: [payload.of(marker)] }, () => request(n, marker)),
      )
    }),
  )
  return markers
}
