import { watchStore } from '@heddle/context'
import { setTracePropagation } from '@heddle/context/engine'
import { instrument } from '@heddle/core'

import { activeSpan } from './batch-span.ts'
import { tracePropagation } from './carriers.ts'
import { createHooks } from './hooks.ts'
import { createMetricHooks } from './metric-hooks.ts'
import { assertInstrumentOptions, type InstrumentBatchersOptions } from './options.ts'

/** Who has turned tracing on, and the hooks that all of them share. */
interface Registry {
  users: readonly { readonly options: InstrumentBatchersOptions }[]
  /** Theirs put together. */
  options: InstrumentBatchersOptions
  hooks: Disposable | undefined
  /** The active span, as the leak detector sees it. */
  watched: Disposable | undefined
}

// Shared by copies of this package, or each of them would record every item.
const REGISTRY = Symbol.for('@heddle/otel/users/v1')

const holder = globalThis as { [REGISTRY]?: Registry }

const registry: Registry = (holder[REGISTRY] ??= {
  users: [],
  options: {},
  hooks: undefined,
  watched: undefined,
})

/**
 * Records spans and metrics for every batcher of the process, those to come included. Turned on several times it
 * still records once, until the last is disposed; of options given several times the latest counts.
 *
 * With a NodeSDK use {@link HeddleInstrumentation}; `@heddle/hono` turns it on by itself.
 *
 * @returns a Disposable that turns it off
 * @throws TypeError for an option that is not as described
 * @example
 * ```ts
 * instrumentBatchers({ tracerProvider: provider })
 * const shutdown = gracefulShutdown({ server, batchers, telemetry: provider })
 * ```
 */
export function instrumentBatchers(options: InstrumentBatchersOptions = {}): Disposable {
  assertInstrumentOptions(options)
  const user = { options }
  changeUsers([...registry.users, user])
  return {
    [Symbol.dispose]() {
      changeUsers(registry.users.filter((other) => other !== user))
    },
  }
}

function changeUsers(users: Registry['users']): void {
  registry.users = users
  registry.options = {
    tracerProvider: latest(users, 'tracerProvider'),
    meterProvider: latest(users, 'meterProvider'),
    parent: latest(users, 'parent'),
    baggage: latest(users, 'baggage'),
  }
  if (users.length > 0) {
    registry.hooks ??= addHooks()
    setTracePropagation(tracePropagation)
    registry.watched ??= watchStore(activeSpan)
  } else {
    registry.hooks?.[Symbol.dispose]()
    registry.hooks = undefined
    setTracePropagation(undefined)
    registry.watched?.[Symbol.dispose]()
    registry.watched = undefined
  }
}

const settings = (): InstrumentBatchersOptions => registry.options

function addHooks(): Disposable {
  const added = [instrument(createHooks(settings)), instrument(createMetricHooks(settings))]
  return {
    [Symbol.dispose]() {
      for (const hooks of added) hooks[Symbol.dispose]()
    },
  }
}

function latest<Name extends keyof InstrumentBatchersOptions>(
  users: Registry['users'],
  name: Name,
): InstrumentBatchersOptions[Name] {
  return users.findLast(({ options }) => options[name] !== undefined)?.options[name]
}
