export interface RelayOptions {
  /** Runs each call of the source. */
  readonly around: <R>(call: () => R) => R
  /** Called once, when the stream has ended: because all was read, or because one side gave it up. */
  readonly onEnd: (isComplete: boolean) => void
  /** Called when the reader gives the stream up, with what settles when its source has ended. */
  readonly onCancel?: (ended: Promise<void>) => void
}

/** A stream with the same chunks at the same pace: the source is asked only when somebody reads. */
export function relay<T>(
  source: ReadableStream<T>,
  { around, onEnd, onCancel }: RelayOptions,
): ReadableStream<T> {
  const reader = source.getReader()
  // A read that is going on ends with it, before the source has.
  let isCancelled = false
  return new ReadableStream<T>(
    {
      async pull(controller) {
        try {
          const result = await around(() => reader.read())
          if (isCancelled) return
          if (!result.done) {
            controller.enqueue(result.value)
            return
          }
          controller.close()
          onEnd(true)
        } catch (error) {
          if (isCancelled) return
          controller.error(error)
          onEnd(false)
        }
      },
      async cancel(reason) {
        isCancelled = true
        try {
          const ended = around(() => reader.cancel(reason))
          onCancel?.(ended)
          await ended
        } finally {
          onEnd(false)
        }
      },
    },
    { highWaterMark: 0 },
  )
}
