import { runNeutral } from '@heddle/context'
import { platform } from '@heddle/context/engine'

import { type ClosableServer, toClosing } from './closing.ts'

/** A batcher of any kind. */
export interface ClosableBatcher {
  close(options?: { readonly timeout?: number }): Promise<void>
}

export interface ShutdownOptions {
  /** What `serve()` of @hono/node-server or `Bun.serve()` gave back. */
  readonly server: ClosableServer
  /**
   * Closed once the requests have been answered, which may need them until then.
   *
   * @defaultValue none
   */
  readonly batchers?: readonly ClosableBatcher[]
  /**
   * ms for all of it; what is not done then is aborted.
   *
   * @defaultValue 10,000
   */
  readonly timeout?: number
}

export interface Shutdown {
  /**
   * Stops accepting, lets the open requests end, lets the batchers run what they have, and closes them.
   * Called again it gives the same promise.
   *
   * @returns whether all of it ended within the time
   */
  (): Promise<boolean>
  /** Aborted when it begins: then `heddleHealth()` says that the service is not ready. */
  readonly signal: AbortSignal
}

/**
 * Ends a service without cutting off what it is doing. To be made right after the server, since over
 * HTTP/2 it must know the sessions.
 *
 * @throws TypeError for an option that is not as described
 * @example
 * ```ts
 * const shutdown = gracefulShutdown({ server: serve(app), batchers: [users], timeout: 5_000 })
 * process.once('SIGTERM', () => void shutdown())
 * ```
 */
export function gracefulShutdown(options: ShutdownOptions): Shutdown {
  const { server, batchers = [], timeout = 10_000 } = options
  if (!(typeof timeout === 'number' && timeout > 0)) {
    throw new TypeError(
      `gracefulShutdown(): Expected \`timeout\` to be a number of ms above 0, got ${String(timeout)}`,
    )
  }
  const closing = toClosing(server)
  const controller = new AbortController()
  let result: Promise<boolean> | undefined

  const shutDown = async (): Promise<boolean> => {
    const end = platform.now() + timeout
    controller.abort(new DOMException('The service is shutting down', 'AbortError'))
    const isAnswered = await within(timeout, closing.close())
    const left = Math.max(0, end - platform.now())
    // A batcher whose time is over aborts what still runs, and is closed then.
    let isDrained = true
    const closed = Promise.all(batchers.map((batcher) => batcher.close()))
    if (!(await within(left, closed))) {
      isDrained = false
      await Promise.all(batchers.map((batcher) => batcher.close({ timeout: 0 })))
    }
    if (!isAnswered) await closing.cutOff()
    return isAnswered && isDrained
  }
  return Object.assign(() => (result ??= shutDown()), { signal: controller.signal })
}

/** Whether it settled in so many ms. */
async function within(milliseconds: number, work: Promise<unknown>): Promise<boolean> {
  const { promise: over, resolve } = Promise.withResolvers<false>()
  const timer = runNeutral(() => platform.setTimeout(resolve, milliseconds, false))
  try {
    return await Promise.race([work.then(() => true), over])
  } finally {
    platform.clearTimeout(timer)
  }
}
