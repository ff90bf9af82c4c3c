import { type Channel, channel } from 'node:diagnostics_channel'

import { describe } from './describe.ts'
import { emitWarning } from './process-warning.ts'
import { handleRejection } from './rejections.ts'

type Subscriber = Parameters<Channel['subscribe']>[0]

/** What each subscriber became; here, since two copies of this package have the same channel. */
const CONTAINED = Symbol.for('@heddle/context/contained-subscribers/v1')

interface ContainedChannel extends Channel {
  [CONTAINED]?: WeakMap<Subscriber, Subscriber>
}

/**
 * The diagnostics channel of this name, whose subscribers may throw without harm. Node and Bun make an
 * uncaught exception of what a subscriber throws, which ends the process; a warning must not do that.
 * Who has subscribed before this package was loaded is not reached: the platform does not tell who it is.
 */
export function warningChannel(name: string): Channel {
  const warnings: ContainedChannel = channel(name)
  if (warnings[CONTAINED] !== undefined) return warnings
  const contained = (warnings[CONTAINED] = new WeakMap<Subscriber, Subscriber>())
  const containedOf = (subscriber: Subscriber): Subscriber => {
    let found = contained.get(subscriber)
    if (found === undefined) {
      found = contain(subscriber, name)
      contained.set(subscriber, found)
      // The first subscriber changes the channel's class, and is passed to `subscribe` once more.
      contained.set(found, found)
    }
    return found
  }
  // `subscribe()` and `unsubscribe()` of node:diagnostics_channel call these.
  warnings.subscribe = (subscriber) => {
    const target = typeof subscriber === 'function' ? containedOf(subscriber) : subscriber
    prototypeOf(warnings).subscribe.call(warnings, target)
  }
  warnings.unsubscribe = (subscriber) =>
    prototypeOf(warnings).unsubscribe.call(warnings, contained.get(subscriber) ?? subscriber)
  return warnings
}

/** Looked up at each call: it changes with the first and the last subscriber. */
function prototypeOf(warnings: Channel): Channel {
  return Object.getPrototypeOf(warnings) as Channel
}

function contain(subscriber: Subscriber, name: string): Subscriber {
  let hasFailed = false
  const report = (error: unknown): void => {
    if (hasFailed) return
    hasFailed = true
    emitWarning(`A subscriber of \`${name}\` failed: ${describe(error)}`, 'SUBSCRIBER_FAILED')
  }
  return (message, channelName) => {
    try {
      handleRejection((subscriber as (...args: unknown[]) => unknown)(message, channelName), report)
    } catch (error) {
      report(error)
    }
  }
}
