import { onAbort } from '@heddle/context'
import type { Context } from 'hono'
import { streamSSE } from 'hono/streaming'

import type { Recorder } from './recorder.ts'

/** ms between two updates. */
const INTERVAL = 100

/**
 * Tells a page what happens, until it leaves or the service closes. It is told when it has taken what it
 * was told before; what is too much for it meanwhile, it misses.
 */
export function eventsOf(
  c: Context,
  recorder: Recorder,
  closing: AbortSignal | undefined,
): Response {
  // Nobody would read it, or say when it is enough.
  if (c.req.method === 'HEAD') return c.body(null, 200, { 'Content-Type': 'text/event-stream' })
  c.header('X-Accel-Buffering', 'no')
  return streamSSE(c, async (stream) => {
    const watcher = recorder.watch()
    const end = Promise.withResolvers<void>()
    stream.onAbort(end.resolve)
    const closed = closing && onAbort(closing, () => end.resolve())
    const isOpen = (): boolean => !stream.aborted && closing?.aborted !== true
    try {
      while (isOpen()) {
        await stream.writeSSE({ data: JSON.stringify(watcher.read()) })
        await Promise.race([stream.sleep(INTERVAL), end.promise])
      }
    } finally {
      closed?.[Symbol.dispose]()
      watcher[Symbol.dispose]()
    }
  })
}
