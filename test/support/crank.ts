import type { Batch } from '@heddle/core'

export { type Call, type Crank, crank } from '@heddle/core/testing'

/** Returns its inputs, and notes the batches that were made. */
export function echo<I>(): {
  readonly run: (inputs: readonly I[], batch: Batch<I>) => readonly I[]
  readonly batches: (readonly I[])[]
} {
  const batches: (readonly I[])[] = []
  return {
    batches,
    run(inputs) {
      batches.push(inputs)
      return inputs
    },
  }
}

/** One turn of the event loop: what was to start in this turn has started. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(() => setImmediate(resolve))
  })
}

export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}

/** How a promise ended: its value, or the code or message of what it was rejected with. */
export async function ended(promise: Promise<unknown>): Promise<unknown> {
  try {
    return await promise
  } catch (error) {
    if (!(error instanceof Error)) return error
    return 'code' in error && typeof error.code === 'string' ? error.code : error.message
  }
}

/** Resolves when the condition holds; a test that waits in vain times out. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(1)
}
