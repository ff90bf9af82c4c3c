import { platform } from './clock.ts'
import { storage } from './registry.ts'
import type { BaseScope } from './scope.ts'
import { likeOriginal, Snapshot } from './snapshot.ts'

/**
 * Calls `fn` when the signal aborts, in the context of whoever registered it: the event itself comes
 * in the context of whoever aborts, or in none. Called soon if the signal has aborted already.
 *
 * @returns a Disposable that takes the registration back; the end of the current scope does so, too
 * @throws ContextError `SCOPE_CLOSED` (in production: warns once and does nothing)
 */
export function onAbort(signal: AbortSignal, fn: (reason: unknown) => void): Disposable {
  const scope = storage.getStore()
  if (scope && !scope.assertOpen('onAbort()')) return { [Symbol.dispose]() {} }
  const snapshot = Snapshot.capture()
  const dispose = (): void => {
    signal.removeEventListener('abort', listener)
    closing?.[Symbol.dispose]()
    snapshot.release()
  }
  const listener = (): void => {
    const { reason } = signal
    try {
      snapshot.run(() => fn(reason))
    } finally {
      dispose()
    }
  }
  const closing = scope?.onClose(dispose)
  if (signal.aborted) platform.queueMicrotask(() => snapshot.isReleased || listener())
  else signal.addEventListener('abort', listener, { once: true })
  return { [Symbol.dispose]: dispose }
}

type Listener = (...args: any[]) => any

/** The wrappers of each scope, so that the same function gives the same wrapper and `off()` works. */
const wrappers = new WeakMap<object, WeakMap<Listener, Listener>>()

/**
 * The listener as one that runs in the current context, whoever emits. Wrapped again in the same scope
 * it is the same function, in the context of the first time, so it can be taken off again. Outside any
 * scope it is a new function each time.
 *
 * A listener that is left on a long-lived emitter is a leak: when it is called after the end of its scope, it
 * throws `SCOPE_CLOSED`, or in production warns once and does nothing.
 *
 * @throws ContextError `SCOPE_CLOSED` (in production: warns once, and the listener does nothing)
 * @example
 * ```ts
 * emitter.on('data', wrapListener(onData))
 * emitter.off('data', wrapListener(onData))
 * ```
 */
export function wrapListener<F extends Listener>(fn: F): F {
  const scope = storage.getStore()
  // Here nothing would tell one caller's context from another's, nor when to let go of it.
  if (scope === undefined) return wrap(fn, undefined) as F
  let ofScope = wrappers.get(scope)
  if (ofScope === undefined) wrappers.set(scope, (ofScope = new WeakMap()))
  let wrapped = ofScope.get(fn)
  if (wrapped === undefined) ofScope.set(fn, (wrapped = wrap(fn, scope)))
  return wrapped as F
}

function wrap(fn: Listener, scope: BaseScope | undefined): Listener {
  if (scope && !scope.assertOpen(`listener ${fn.name}`)) return likeOriginal(() => {}, fn)
  const snapshot = Snapshot.capture()
  scope?.onClose(() => snapshot.release())
  const wrapped = function (this: unknown, ...args: unknown[]): unknown {
    // Throws in development, warns once in production.
    if (scope && snapshot.isReleased && !scope.assertOpen(`listener ${fn.name}`)) return undefined
    return snapshot.run(() => fn.apply(this, args))
  }
  return likeOriginal(wrapped, fn)
}
