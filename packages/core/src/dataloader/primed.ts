import { runNeutral } from '@heddle/context'

import { BatcherError, describe } from '../errors.ts'

/**
 * The promise of a value that somebody has already; nobody has to look at an error among them.
 *
 * @param isFirst - whether no other request has got it. Two requests never get the same error object
 */
export function primed<V>(
  value: V | PromiseLike<V> | Error,
  isFirst: boolean,
  batcher: string,
): Promise<V> {
  // A cached promise must not keep the request of whoever has made it.
  return runNeutral(() => {
    if (!(value instanceof Error)) return Promise.resolve(value)
    const promise = Promise.reject<V>(isFirst ? value : copyOf(value, batcher))
    promise.catch(ignore)
    return promise
  })
}

function copyOf(cause: Error, batcher: string): BatcherError {
  const message = `Batcher \`${batcher}\`: This key was primed with an error, for several requests: ${describe(cause)}`
  return new BatcherError('BATCH_FAILED', batcher, message, { cause })
}

function ignore(): void {
  // There for whoever loads the key.
}
