import { runNeutral } from '@heddle/context'
import {
  aPositiveTime,
  assertOption,
  type OptionRule,
  warn,
  platform,
} from '@heddle/context/engine'

import { assertOptions } from '../assert-options.ts'
import { assertBatchers, hasMethod, someBatchers } from './batchers.ts'
import { type ClosableServer, isClosableServer, toClosing } from './closing.ts'
import { isTrueWithin } from './within.ts'

/** A batcher of any kind. */
export interface ClosableBatcher {
  close(options?: { readonly timeout?: number }): Promise<void>
}

/** NodeSDK or a TracerProvider. */
export interface ClosableTelemetry {
  shutdown(): Promise<void>
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
   * Shut down last, whatever happened before: the spans of the last requests and batches end only then. A
   * quarter of the time, 2 s at most, is kept for it.
   *
   * @defaultValue none
   */
  readonly telemetry?: ClosableTelemetry
  /**
   * ms for all of it, in this order:
   *
   * 1. `signal` aborts, so that `heddleHealth()` says that the service is not ready.
   * 2. The server accepts nothing new; open requests go on and may still submit.
   * 3. The batchers close: what is queued runs.
   * 4. When the time is over, all that still waits is rejected with `BATCHER_CLOSED`, `batch.signal` aborts, and
   *    connections are cut. At most 300 ms are kept for this.
   * 5. The telemetry is shut down, in what is kept for it.
   *
   * @defaultValue 10,000
   */
  readonly timeout?: number
}

export interface Shutdown {
  /**
   * Stops accepting, lets the open requests end, lets the batchers run what they have and closes them,
   * then shuts the telemetry down. Called again it gives the same promise. It never rejects: what fails is
   * reported as a warning.
   *
   * @returns whether all of it ended within `timeout`
   */
  (): Promise<boolean>
  /** Aborted when it begins: then `heddleHealth()` says that the service is not ready. */
  readonly signal: AbortSignal
}

/**
 * Ends a service without cutting off what it is doing: first the requests, then the batchers, then the
 * telemetry. To be made right after the server, since it must know the server's connections.
 *
 * @throws TypeError for an option that is not as described, or that there is not
 * @example
 * ```ts
 * const shutdown = gracefulShutdown({ server: serve(app), batchers: [users], telemetry: sdk })
 * process.on('SIGTERM', () => void shutdown())
 * ```
 */
export function gracefulShutdown(options: ShutdownOptions): Shutdown {
  assertShutdownOptions(options)
  const { server, batchers = [], telemetry, timeout = 10_000 } = options
  const closing = toClosing(server)
  const controller = new AbortController()
  let result: Promise<boolean> | undefined

  const shutDown = async (): Promise<boolean> => {
    const end = platform.now() + timeout
    const last = Math.min(Math.max(timeout / 20, 5), AT_LAST)
    const kept = 3 * last + (telemetry === undefined ? 0 : Math.min(timeout / 4, FOR_TELEMETRY))
    const untilKept = (): number => Math.max(0, end - kept - platform.now())
    controller.abort(new DOMException('The service is shutting down', 'AbortError'))
    const limit = untilKept()
    let closed: Promise<void> | undefined
    const close = (): Promise<void> => (closed ??= closing.close(limit))
    const isAnswered = await isDone(limit, 'the server', close)
    const isDrained = await closeAll(batchers, untilKept(), last)
    if (!isAnswered) {
      // Whoever waited for a batcher has an answer now, which takes a moment to go out.
      await isDone(last, 'the server', () => closed?.catch(ignore))
      await isDone(last, 'the server', () => closing.cutOff())
    }
    // Spans of the last batches and responses end when their promises and sockets have told it.
    await new Promise((resolve) => platform.setImmediate(resolve))
    const left = Math.max(0, end - platform.now())
    const isSent =
      telemetry === undefined || (await isDone(left, 'the telemetry', () => telemetry.shutdown()))
    return isAnswered && isDrained && isSent
  }
  return Object.assign(() => (result ??= runNeutral(shutDown)), { signal: controller.signal })
}

function ignore(): void {
  // It has been reported.
}

/** At most so many ms are for what has been aborted, and has nothing to wait for any more. */
const AT_LAST = 100
/** At most so many ms are kept for the telemetry. */
const FOR_TELEMETRY = 2_000

async function closeAll(
  batchers: readonly ClosableBatcher[],
  limit: number,
  last: number,
): Promise<boolean> {
  const closeOne = async (batcher: ClosableBatcher): Promise<boolean> => {
    if (await isDone(limit, 'a batcher', () => batcher.close())) return true
    // One whose time is over aborts what still runs, and is closed then. The others have theirs.
    await isDone(last, 'a batcher', () => batcher.close({ timeout: 0 }))
    return false
  }
  const closed = await Promise.all(batchers.map(closeOne))
  return closed.every(Boolean)
}

/** Whether the work has succeeded in so many ms. */
async function isDone(limit: number, what: string, work: () => unknown): Promise<boolean> {
  const done = async (): Promise<boolean> => {
    try {
      await work()
      return true
    } catch (error) {
      warn('SHUTDOWN_FAILED', what, `gracefulShutdown(): ${what} could not be closed`, error)
      return false
    }
  }
  return isTrueWithin(limit, done())
}

function assertShutdownOptions(options: ShutdownOptions): void {
  if (isClosableServer(options)) {
    throw new TypeError(
      'gracefulShutdown(): Expected the options to be an object with a `server`, got a server. ' +
        'Cure: `gracefulShutdown({ server })`.',
    )
  }
  assertOptions('gracefulShutdown', options, RULES)
  assertOption('gracefulShutdown', 'server', options.server, RULES.server)
  assertBatchers('gracefulShutdown', options.batchers, 'close')
}

const RULES = {
  server: {
    expected: 'what `serve()` or `Bun.serve()` returned',
    holds: isClosableServer,
  },
  batchers: someBatchers,
  telemetry: {
    expected: 'an object with a method `shutdown`',
    holds: (value) => hasMethod(value, 'shutdown'),
  },
  timeout: aPositiveTime,
} satisfies Record<keyof ShutdownOptions, OptionRule>
