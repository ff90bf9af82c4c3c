import { clock, type Timer } from './clock.ts'
import { runNeutral } from './neutral.ts'
import type { RequestScope } from './request-scope.ts'
import { baseOf } from './scope.ts'
import type { Scope } from './types.ts'

/**
 * Keeps a request's scope open for the source of its response, which runs in it longer than the handler,
 * and longer than its client waits: a `finally` in it still finds the request's values.
 *
 * Not for ever: a source that nobody reads never begins, and one that nobody reads any more may never end.
 */
export class SourceHold {
  /** ms after it was bound, for a source that nobody reads; again as long while the function runs. */
  static readonly TO_BEGIN = 5000
  /** ms for a source that nobody reads any more. */
  static readonly TO_END = 30_000

  #request: RequestScope | undefined
  #timer: Timer | undefined

  /**
   * @param scope - any; only those of requests, and scopes inside them, close
   * @param limit - ms from now; again as long while its function runs
   */
  constructor(scope: Scope | undefined, limit: number = SourceHold.TO_BEGIN) {
    const owner = scope && baseOf(scope).owner
    if (owner?.kind !== 'request' && owner?.kind !== 'detached') return
    this.#request = owner as RequestScope
    this.#request.hold()
    this.#arm(limit)
  }

  /** Somebody reads: from now on it ends when the source has ended. */
  begin(): void {
    if (this.#timer === undefined) return
    clock.clearTimeout(this.#timer)
    this.#timer = undefined
  }

  /** Nobody reads any more: it ends when this has settled, or after {@link TO_END}. */
  releaseAfter(ended: Promise<unknown>): void {
    if (this.#request === undefined) return
    this.begin()
    this.#arm(SourceHold.TO_END)
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

  #arm(limit: number): void {
    const expire = (): void => {
      if (this.#request?.state === 'active') this.#arm(limit)
      else this.release()
    }
    // Made outside every context: a timer keeps the context it was made in.
    this.#timer = runNeutral(() => clock.setTimeout(expire, limit))
    this.#timer.unref()
  }
}
