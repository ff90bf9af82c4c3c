/** What happens to promises that nobody looks at, by the name of the case. */
export type Cases = Readonly<Record<string, () => Promise<void>>>

/** A batch function that never settles. */
export function hanging(): Promise<never> {
  return new Promise(() => {})
}

/** Turns of the event loop, after which what was to start has started. */
export function turns(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(() => setImmediate(() => setTimeout(resolve, 1)))
  })
}

export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turns()
}
