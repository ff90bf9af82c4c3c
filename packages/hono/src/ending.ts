import { SourceHold, platform } from '@heddle/context/engine'

import type { HttpScope } from './http-scope.ts'
import type { Made } from './made-responses.ts'
import { isSelfHolding, noteBody } from './stream-helpers.ts'

/** Called once; whether the last byte went out, to a client that was there. */
export type OnEnd = (isComplete: boolean) => void

/** ms for the source of a stream that cannot tell when it has ended. */
const GRACE = 1000

/** The end of a response, which keeps the scope open until then; and a while longer if the client has left. */
export class Ending {
  readonly #scope: HttpScope
  readonly #made: Made
  readonly #onEnd: OnEnd
  #isAnswered = false
  #hasEnded = false
  #isLeft = false

  constructor(scope: HttpScope, made: Made, onEnd: OnEnd) {
    this.#scope = scope
    this.#made = made
    this.#onEnd = onEnd
    scope.hold()
  }

  /** To be called when the handler has returned; it may have ended before. */
  answered(): void {
    this.#isAnswered = true
    const { stream } = this.#made
    if (stream) noteBody(stream, this.#scope)
    if (this.#isLeft) this.#leave()
  }

  /** @param isLeft - whether its source may still run; not if it is the source that failed */
  end(isComplete: boolean, isLeft: boolean = !isComplete): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.#isLeft = isLeft
    try {
      this.#onEnd(isComplete)
    } finally {
      if (this.#isLeft && this.#isAnswered) this.#leave()
      this.#scope.letGo()
    }
  }

  /**
   * Whoever sends the response tells its source in this turn that nobody reads it any more. What the source
   * has left to do, it does while the scope is open.
   */
  #leave(): void {
    const { stream } = this.#made
    const hold = new SourceHold(this.#scope, GRACE)
    platform.setImmediate(() => {
      if (stream === undefined || isSelfHolding(stream)) hold.release()
    })
  }
}
