import { storage } from './registry.ts'
import { likeOriginal, Snapshot } from './snapshot.ts'

/**
 * Calls `fn` when the signal aborts, in the context of whoever registered it: the event itself comes
 * in the context of whoever aborts, or in none. Called soon if the signal has aborted already.
 *
 * @returns what takes the registration back; the end of the current scope does so, too
 */
export function onAbort(signal: AbortSignal, fn: (reason: unknown) => void): Disposable {
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
  const closing = storage.getStore()?.onClose(dispose)
  if (signal.aborted) queueMicrotask(() => snapshot.isReleased || listener())
  else signal.addEventListener('abort', listener, { once: true })
  return { [Symbol.dispose]: dispose }
}

type Listener = (...args: any[]) => any

/** The wrappers of each scope, so that the same function gives the same wrapper and `off()` works. */
const wrappers = new WeakMap<object, WeakMap<Listener, Listener>>()
const outside = {}

/**
 * The listener as one that runs in the current context, whoever emits. Wrapped twice in the same scope
 * it is the same function, so it can be taken off again.
 *
 * After the end of the scope it does nothing, but in development it throws: a listener that is left on
 * a long-lived emitter is a leak.
 *
 * @example
 * ```ts
 * emitter.on('data', wrapListener(onData))
 * emitter.off('data', wrapListener(onData))
 * ```
 */
export function wrapListener<F extends Listener>(fn: F): F {
  const scope = storage.getStore() ?? outside
  let ofScope = wrappers.get(scope)
  if (ofScope === undefined) wrappers.set(scope, (ofScope = new WeakMap()))
  let wrapped = ofScope.get(fn)
  if (wrapped === undefined) ofScope.set(fn, (wrapped = wrap(fn)))
  return wrapped as F
}

function wrap(fn: Listener): Listener {
  const scope = storage.getStore()
  const snapshot = Snapshot.capture()
  scope?.onClose(() => snapshot.release())
  const wrapped = function (this: unknown, ...args: unknown[]): unknown {
    if (scope && snapshot.isReleased) {
      // Throws in development, warns once in production.
      scope.onClose(ignore)
      return undefined
    }
    return snapshot.run(() => fn.apply(this, args))
  }
  return likeOriginal(wrapped, fn)
}

function ignore(): void {}
