import { types } from 'node:util'

/**
 * Calls `onRejection` if `value` is a promise that rejects. Another thenable is left alone: it cannot be an
 * unhandled rejection, and its `then` may be what starts its work.
 */
export function handleRejection(value: unknown, onRejection: (error: unknown) => void): void {
  if (typeof value === 'object' && types.isPromise(value)) value.then(undefined, onRejection)
}
