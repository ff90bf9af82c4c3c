let closing = 0

/**
 * From now on answers say that they are the last ones of their connections.
 *
 * @returns what takes it back
 */
export function closeAnswers(): () => void {
  closing += 1
  return () => {
    closing -= 1
  }
}

/**
 * Whether an answer must say `Connection: close`. On Bun, whose server cannot be asked for its open
 * connections, the middleware says it; it has no way to know which server a request came by.
 */
export function isLastAnswer(): boolean {
  return closing > 0
}
