export interface RelayOptions {
  /** Runs each call of the source. */
  readonly around: <R>(call: () => R) => R
  /** Called once, when the stream has ended: because all was read, or because one side gave it up. */
  readonly onEnd: (isComplete: boolean) => void
}

/** A stream with the same chunks at the same pace: the source is asked only when somebody reads. */
export function relay<T>(
  source: ReadableStream<T>,
  { around, onEnd }: RelayOptions,
): ReadableStream<T> {
  const reader = source.getReader()
  return new ReadableStream<T>(
    {
      async pull(controller) {
        try {
          const result = await around(() => reader.read())
          if (!result.done) {
            controller.enqueue(result.value)
            return
          }
          controller.close()
          onEnd(true)
        } catch (error) {
          controller.error(error)
          onEnd(false)
        }
      },
      async cancel(reason) {
        try {
          await around(() => reader.cancel(reason))
        } finally {
          onEnd(false)
        }
      },
    },
    { highWaterMark: 0 },
  )
}
