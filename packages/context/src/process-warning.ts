/** Gives a process warning. An app may have put its own function in the place of Node's. */
export function emitWarning(message: string, code: string): void {
  try {
    process.emitWarning(message, { type: 'HeddleWarning', code })
  } catch {
    // Nobody is left to be told.
  }
}
