import { AsyncLocalStorage } from 'node:async_hooks'

import { type ContextKey, createKey, runRequest, snapshotCount } from '@heddle/context'

import { reachable } from '../support/gc.ts'

export const REQUESTS = 50
/** One may be left on a stack or in a register. */
const SLACK = 1
export const payload: ContextKey<object> = createKey('test.context.retention.payload')
export const tenant: ContextKey<string> = createKey('test.context.retention.tenant', {
  carry: { encode: (value) => value, decode: (value) => value },
})
/** Somebody else's store, which nobody empties. */
const foreign = new AsyncLocalStorage<object>()

/** A request, which may point out objects of its own that must go with it. */
export type Request = (watch: (object: object) => void) => unknown

/** Who of 50 requests is held once they have ended: by our scopes, by somebody else's store, by snapshots. */
export async function heldAfter(
  request: Request,
): Promise<{ readonly own: Held; readonly theirs: Held; readonly snapshots: number }> {
  const own: WeakRef<object>[] = []
  const theirs: WeakRef<object>[] = []
  const watch = (object: object): void => void own.push(new WeakRef(object))
  const one = async (n: number): Promise<void> => {
    const value = { n }
    const store = { n }
    watch(value)
    theirs.push(new WeakRef(store))
    const entries = [payload.of(value), tenant.of(`tenant ${n}`)]
    await foreign.run(store, () => runRequest({ entries }, async () => void (await request(watch))))
  }
  const before = unreleased()
  await Promise.all(Array.from({ length: REQUESTS }, (_, n) => one(n)))
  return {
    own: held(await reachable(own)),
    theirs: held(await reachable(theirs)),
    snapshots: unreleased() - before,
  }
}

/** Snapshots that nobody has released, those that were collected included. */
function unreleased(): number {
  const { open, lost } = snapshotCount()
  return open + lost
}

export type Held = 'none' | 'all' | number

function held(count: number): Held {
  if (count <= SLACK) return 'none'
  return count >= REQUESTS - SLACK ? 'all' : count
}
