import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

import { sleep } from './crank.ts'

/** A full garbage collection, on the runtime that runs the test. */
export const collect: () => void = (() => {
  const { Bun: bun } = globalThis as { Bun?: { gc(synchronous: boolean): void } }
  if (bun) return () => bun.gc(true)
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as () => void
})()

/**
 * How many of the objects are still reachable once the collector has had its chances. What is really
 * held stays, however often it runs.
 */
export async function reachable(references: readonly WeakRef<object>[]): Promise<number> {
  let alive = references.length
  for (let round = 0; round < 40 && alive > 0; round += 1) {
    await sleep(1)
    overwriteStack(100)
    collect()
    alive = references.filter((reference) => reference.deref() !== undefined).length
  }
  return alive
}

/** JavaScriptCore takes what it finds on the machine's stack for pointers, old ones included. */
function overwriteStack(depth: number): number {
  const numbers = Array.from({ length: 8 }, (_, index) => index * depth)
  return depth === 0 ? 0 : overwriteStack(depth - 1) + numbers.length
}
