import type { Batch, Chunk } from '@heddle/core'

/** One call of a stream batch function, whose chunks the test lets out. */
export interface TapCall<I, C> {
  readonly inputs: readonly I[]
  readonly batch: Batch<I>
  /** How often it was asked for a chunk. */
  pulls: number
  /** Whether its `finally` has run. */
  hasEnded: boolean
  give(...chunks: Chunk<C>[]): void
  finish(): void
  fail(error: unknown): void
}

/** A generator that yields what the test gives it. */
export function tap<I, C>(): {
  readonly run: (inputs: readonly I[], batch: Batch<I>) => AsyncGenerator<Chunk<C>>
  readonly calls: TapCall<I, C>[]
} {
  const calls: TapCall<I, C>[] = []
  return {
    calls,
    async *run(inputs, batch) {
      const steps: (() => Chunk<C> | undefined)[] = []
      let wake = (): void => {}
      const add = (step: () => Chunk<C> | undefined): void => {
        steps.push(step)
        wake()
      }
      const call: TapCall<I, C> = {
        inputs,
        batch,
        pulls: 0,
        hasEnded: false,
        give: (...chunks) => {
          for (const chunk of chunks) add(() => chunk)
        },
        finish: () => add(() => undefined),
        fail: (error) =>
          add(() => {
            throw error
          }),
      }
      calls.push(call)
      batch.signal.addEventListener('abort', () => wake())
      try {
        for (;;) {
          call.pulls += 1
          while (steps.length === 0 && !batch.signal.aborted) {
            await new Promise<void>((resolve) => {
              wake = resolve
            })
          }
          const chunk = steps.shift()?.()
          if (chunk === undefined) return
          yield chunk
        }
      } finally {
        call.hasEnded = true
      }
    },
  }
}

/** Everything of a stream, and what it ended with if that was an error. */
export async function drained<C>(stream: AsyncIterable<C>): Promise<unknown[]> {
  const seen: unknown[] = []
  try {
    for await (const chunk of stream) seen.push(chunk)
  } catch (error) {
    const { code, message } = error as { readonly code?: unknown; readonly message: string }
    seen.push(typeof code === 'string' ? code : message)
  }
  return seen
}
