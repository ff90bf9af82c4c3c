import { clock, type Timer } from './clock.ts'
import { runNeutral } from './neutral.ts'
import type { RequestScope } from './request-scope.ts'
import { baseOf } from './scope.ts'
import type { Scope } from './types.ts'

/** ms that a source may take to begin, and to end when nobody reads it any more. */
const LIMIT = 30_000

/**
 * Keeps a request's scope open for the source of its response, which runs in it longer than the handler,
 * and longer than its client waits: a `finally` in it still finds the request's values.
 *
 * Not for ever: a source that nobody reads never begins, and one that nobody reads any more may never end.
 */
export class SourceHold {
  readonly #limit: number
  #request: RequestScope | undefined
  #timer: Timer | undefined

  /**
   * @param scope - any; only those of requests, and scopes inside them, close
   * @param limit - ms
   */
  constructor(scope: Scope | undefined, limit: number = LIMIT) {
    this.#limit = limit
    const owner = scope && baseOf(scope).owner
    if (owner?.kind !== 'request' && owner?.kind !== 'detached') return
    this.#request = owner as RequestScope
    this.#request.hold()
    this.#arm()
  }

  /** Somebody reads: from now on it ends when the source has ended. */
  begin(): void {
    if (this.#timer === undefined) return
    clock.clearTimeout(this.#timer)
    this.#timer = undefined
  }

  /** Nobody reads any more: it ends when this has settled, or after the limit. */
  releaseAfter(ended: Promise<unknown>): void {
    if (this.#request === undefined) return
    this.begin()
    this.#arm()
    const release = (): void => this.release()
    void runNeutral(() => ended.then(release, release))
  }

  release(): void {
    const request = this.#request
    if (request === undefined) return
    this.begin()
    this.#request = undefined
    request.letGo()
  }

  #arm(): void {
    // Made outside every context: a timer keeps the context it was made in.
    this.#timer = runNeutral(() => clock.setTimeout(() => this.release(), this.#limit))
    this.#timer.unref()
  }
}
