/** A cause on one line, for messages. It may be anything, and must not be able to throw here. */
export function describe(cause: unknown): string {
  try {
    if (cause instanceof Error) return `${cause.name}: ${cause.message}`
    return typeof cause === 'string'
      ? `"${cause}" (not an Error)`
      : `${typeof cause} (not an Error)`
  } catch {
    return 'an error that cannot be read'
  }
}
