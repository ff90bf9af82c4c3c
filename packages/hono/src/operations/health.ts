import type { BatcherStats } from '@heddle/core'
import type { Context } from 'hono'

/** A batcher of any kind. */
export interface ObservedBatcher {
  readonly name: string
  stats(): BatcherStats
}

export interface HealthOptions {
  /**
   * The batchers whose queues say whether this service keeps up.
   *
   * @defaultValue none
   */
  readonly batchers?: readonly ObservedBatcher[]
  /**
   * ms that the oldest item of a queue may have waited while the service counts as ready.
   *
   * @defaultValue 10,000
   */
  readonly maxAge?: number
  /**
   * Is aborted when the service closes: the signal of `gracefulShutdown()`.
   *
   * @defaultValue none
   */
  readonly closing?: AbortSignal
  /**
   * What the status tells: `'ready'` is 503 for a service that should get no requests now, `'live'` is
   * always 200, since a process that answers need not be started anew.
   *
   * @defaultValue `'ready'`
   */
  readonly probe?: 'ready' | 'live'
}

/** The body of a probe's answer. */
export interface Health {
  readonly live: true
  readonly ready: boolean
  readonly closing: boolean
  readonly batchers: readonly BatcherHealth[]
}

export interface BatcherHealth {
  readonly name: string
  /** Items that wait. */
  readonly queued: number
  /** ms that the oldest of them has waited. */
  readonly oldest: number
  /** Batches that run. */
  readonly inFlight: number
}

/**
 * A handler for the probes of a load balancer or an orchestrator. Ready is a service that is not closing
 * and none of whose batchers is closed or has let an item wait too long. It names the batchers, so it
 * is for the inside of a network.
 *
 * @throws TypeError for an option that is not as described
 * @example
 * ```ts
 * app.get('/ready', heddleHealth({ batchers: [users], closing: shutdown.signal }))
 * app.get('/live', heddleHealth({ probe: 'live' }))
 * ```
 */
export function heddleHealth(options: HealthOptions = {}): (c: Context) => Response {
  const { batchers = [], maxAge = 10_000, closing, probe = 'ready' } = options
  if (!(typeof maxAge === 'number' && maxAge > 0)) {
    throw new TypeError(
      `heddleHealth(): Expected \`maxAge\` to be a number of ms above 0, got ${String(maxAge)}`,
    )
  }
  if (probe !== 'ready' && probe !== 'live') {
    throw new TypeError(
      `heddleHealth(): Expected \`probe\` to be 'ready' or 'live', got ${String(probe)}`,
    )
  }
  return function heddleHealthHandler(c) {
    const all = batchers.map((batcher) => ({ name: batcher.name, stats: batcher.stats() }))
    const isClosing = closing?.aborted === true || all.some(({ stats }) => stats.closing)
    const ready = !isClosing && all.every(({ stats }) => stats.oldest <= maxAge)
    const health: Health = {
      live: true,
      ready,
      closing: isClosing,
      batchers: all.map(({ name, stats: { queued, oldest, inFlight } }) => ({
        name,
        queued,
        oldest: Math.round(oldest),
        inFlight,
      })),
    }
    // What was true a moment ago helps nobody.
    const headers = { 'Cache-Control': 'no-store' }
    return c.json(health, ready || probe === 'live' ? 200 : 503, headers)
  }
}
