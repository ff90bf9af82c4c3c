/** For a process of this example that another one has started: it lives no longer than that one. */
export function endWithParent(): void {
  process.once('disconnect', () => process.exit())
}

/** Sends a message to the process that started this one, if that is of this example. */
export function tellParent(message: object): void {
  // When the parent is gone, a message that is on its way fails before `disconnect` is emitted.
  process.send?.(message, undefined, undefined, (error: Error | null) => {
    if (error) process.exit()
  })
}
