import { anAbortSignal, aPositiveTime, oneOf, type OptionRule } from '@heddle/context/engine'
import type { BatcherStats } from '@heddle/core'
import type { Context } from 'hono'

import { assertOptions } from '../assert-options.ts'
import { assertBatchers, hasMethod, someBatchers } from './batchers.ts'
import { Checks } from './checks.ts'

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
   * What the service needs besides, for example `() => database.isConnected()`. One that gives anything but
   * `true`, throws, or takes longer than 800 ms makes the service not ready. A `'live'` probe asks none.
   *
   * @defaultValue none
   */
  readonly checks?: readonly (() => boolean | PromiseLike<boolean>)[]
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
 * and none of whose batchers is closed or has let an item wait too long, and whose checks are met. It
 * names the batchers, so it is for the inside of a network.
 *
 * @throws TypeError for an option that is not as described, or that there is not
 * @example
 * ```ts
 * app.get('/ready', heddleHealth({ batchers: [users], closing: shutdown.signal }))
 * app.get('/live', heddleHealth({ probe: 'live' }))
 * ```
 */
export function heddleHealth(
  options: HealthOptions = {},
): (c: Context) => Response | Promise<Response> {
  assertHealthOptions(options)
  const { batchers = [], checks = [], maxAge = 10_000, closing, probe = 'ready' } = options

  const answer = (c: Context, areMet: boolean): Response => {
    const all = batchers.map((batcher) => ({ name: batcher.name, stats: batcher.stats() }))
    const isClosing = closing?.aborted === true || all.some(({ stats }) => stats.closing)
    const ready = areMet && !isClosing && all.every(({ stats }) => stats.oldest <= maxAge)
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

  if (probe === 'live' || checks.length === 0) return (c) => answer(c, true)
  const asked = new Checks(checks)
  return async (c) => answer(c, await asked.areMet())
}

function assertHealthOptions(options: HealthOptions): void {
  if (hasMethod(options, 'stats')) {
    throw new TypeError(
      'heddleHealth(): Expected the options to be an object, got a batcher. ' +
        'Cure: `heddleHealth({ batchers: [batcher] })`.',
    )
  }
  assertOptions('heddleHealth', options, RULES, "app.get('/ready', heddleHealth())")
  assertBatchers('heddleHealth', options.batchers, 'stats')
}

const RULES = {
  batchers: someBatchers,
  checks: {
    expected: 'an array of functions',
    holds: (value) => Array.isArray(value) && value.every((check) => typeof check === 'function'),
  },
  maxAge: aPositiveTime,
  closing: anAbortSignal,
  probe: oneOf('ready', 'live'),
} satisfies Record<keyof HealthOptions, OptionRule>
