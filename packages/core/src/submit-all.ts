import type { SubmitOptions } from './types.ts'

/** What `submitAll` needs of an engine. */
export interface Intake<I, O> {
  readonly closed: boolean
  readonly hasRoom: boolean
  /** Resolves when an item has left the queue. */
  room(): Promise<void>
  submit(input: I, options: SubmitOptions | undefined): Promise<O>
}

/**
 * Submits as room frees. Each result is looked at from its submit on, so that a rejection during a
 * slow iteration is not an unhandled one.
 */
export async function submitAll<I, O>(
  intake: Intake<I, O>,
  inputs: Iterable<I> | AsyncIterable<I>,
  options: SubmitOptions | undefined,
  hasEnded: () => boolean,
): Promise<PromiseSettledResult<O>[]> {
  const results: Promise<PromiseSettledResult<O>>[] = []
  try {
    for await (const input of inputs) {
      while (!intake.hasRoom && !intake.closed && !hasEnded()) await intake.room()
      results.push(settled(intake.submit(input, options)))
      if (intake.closed || hasEnded()) break
    }
  } catch (error) {
    await Promise.all(results)
    throw error
  }
  return Promise.all(results)
}

function settled<O>(promise: Promise<O>): Promise<PromiseSettledResult<O>> {
  return promise.then(
    (value) => ({ status: 'fulfilled', value }),
    (reason: unknown) => ({ status: 'rejected', reason }),
  )
}
