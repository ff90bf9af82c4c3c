import { AsyncResource } from 'node:async_hooks'

import { ContextError } from './errors.ts'
import { enterResource } from './neutral.ts'
import { storage } from './registry.ts'
import { countCapture, countRelease } from './snapshot-count.ts'
import type { Scope } from './types.ts'

/**
 * The context of the code that made it, to run other code in later: the `AsyncContext.Snapshot` of
 * TC39, over every AsyncLocalStorage of the process at once.
 *
 * It holds everything its request holds until it is released.
 *
 * @example
 * ```ts
 * using snapshot = Snapshot.capture()
 * emitter.on('data', snapshot.wrap((chunk) => log(requestId.get(), chunk)))
 * ```
 */
export class Snapshot implements Disposable {
  #resource: AsyncResource | undefined
  #scope: Scope | undefined

  static capture(): Snapshot {
    const resource = new AsyncResource('HeddleSnapshot', { requireManualDestroy: true })
    const snapshot = new Snapshot(resource, storage.getStore())
    countCapture(snapshot)
    return snapshot
  }

  /** For engines, whose items are resources already; everybody else calls {@link capture}. */
  constructor(resource: AsyncResource, scope: Scope | undefined) {
    this.#resource = resource
    this.#scope = scope
  }

  get isReleased(): boolean {
    return this.#resource === undefined
  }

  /** The scope it was captured in; `undefined` outside any, and after the release. */
  get scope(): Scope | undefined {
    return this.#scope
  }

  /**
   * Runs `fn` in the captured context.
   *
   * @throws ContextError `ITEM_SETTLED` after the release
   */
  run<R>(fn: () => R): R {
    if (this.#resource === undefined) throw released()
    return enterResource(this.#resource, fn)
  }

  /** A function like `fn` (same `this`, `name` and `length`) that runs in the captured context. */
  wrap<F extends (...args: any[]) => any>(fn: F): F {
    const run = (call: () => ReturnType<F>): ReturnType<F> => this.run(call)
    const wrapped = function (this: unknown, ...args: Parameters<F>): ReturnType<F> {
      return run(() => fn.apply(this, args))
    }
    return likeOriginal(wrapped, fn)
  }

  /** Lets go of the context. Idempotent. */
  release(): void {
    if (this.#resource === undefined) return
    countRelease(this)
    this.#resource = undefined
    this.#scope = undefined
  }

  [Symbol.dispose](): void {
    this.release()
  }
}

/** Gives a wrapper the name and the length of what it wraps, which frameworks look at. */
export function likeOriginal<F extends (...args: any[]) => any>(
  wrapper: (...args: any[]) => any,
  original: F,
): F {
  return Object.defineProperties(wrapper, {
    name: { value: original.name, configurable: true },
    length: { value: original.length, configurable: true },
  }) as F
}

function released(): ContextError {
  return new ContextError(
    'ITEM_SETTLED',
    'This snapshot was released, so its context is gone. ' +
      'Likely cause: it belongs to an item of a batch that has settled. ' +
      'Cure: finish what needs the context before the batch function returns.',
  )
}
