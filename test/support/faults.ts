import { subscribe, unsubscribe } from 'node:diagnostics_channel'

/** What code may throw, above all what cannot be read or turned into text. */
export const thrown: Readonly<Record<string, () => unknown>> = {
  'an Error': () => new Error('instrumentation is broken'),
  undefined: () => undefined,
  'a symbol': () => Symbol('broken'),
  'an object without a prototype': () => Object.create(null) as object,
  'an Error whose toString throws': () => withGetter('toString'),
  'an Error whose message throws': () => withGetter('message'),
  'an Error whose name throws': () => withGetter('name'),
  'an Error whose stack throws': () => withGetter('stack'),
  'an Error whose message is a symbol': () =>
    Object.assign(new Error('x'), { message: Symbol('broken') }),
  'a revoked Proxy': () => {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    return proxy
  },
}

function withGetter(name: string): Error {
  return Object.defineProperty(new Error('unreadable'), name, {
    get() {
      throw new Error(`\`${name}\` cannot be read`)
    },
  })
}

export interface Warning {
  readonly code: string
  readonly topic: string
  readonly message: string
  readonly cause: unknown
}

/** What was reported on `heddle:warning`, and what nobody has caught, until it is disposed. */
export interface Watch extends Disposable {
  readonly warnings: Warning[]
  /** The topics of those that name a culprit, sorted. */
  readonly culprits: readonly string[]
  /** Uncaught exceptions and unhandled rejections. */
  readonly uncaught: unknown[]
}

export function watchProcess(): Watch {
  const warnings: Warning[] = []
  const uncaught: unknown[] = []
  const note = (message: unknown): void => void warnings.push(message as Warning)
  const noteUncaught = (error: unknown): void => void uncaught.push(error)
  subscribe('heddle:warning', note)
  process.on('uncaughtException', noteUncaught)
  process.on('unhandledRejection', noteUncaught)
  return {
    warnings,
    uncaught,
    get culprits() {
      return warnings
        .filter(({ code }) => code === 'HOOK_FAILED')
        .map(({ topic }) => topic)
        .toSorted()
    },
    [Symbol.dispose]() {
      unsubscribe('heddle:warning', note)
      process.off('uncaughtException', noteUncaught)
      process.off('unhandledRejection', noteUncaught)
    },
  }
}
