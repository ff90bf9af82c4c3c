import { setFlagsFromString } from 'node:v8'

import { reachable } from '../support/gc.ts'

// Code that is optimized, dropped and compiled anew takes 1 to 2 bytes per request on Node for as long
// as one cares to watch. Without it, what grows is ours.
for (const flag of ['--no-flush-bytecode', '--no-opt', '--no-maglev']) setFlagsFromString(flag)

/** Bytes of the heap, once nothing is left to collect. */
export async function heapSize(): Promise<number> {
  // Each round ends with a full collection; what it frees may hold more through a weak reference.
  for (let round = 0; round < 3; round += 1) await reachable([new WeakRef({})])
  return process.memoryUsage().heapUsed
}
