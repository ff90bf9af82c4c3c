/** ms between two looks at a server that closes. */
export const SWEEP = 20
/**
 * ms that a connection may be silent before it is shut. A client may have sent a request on it already,
 * which would be lost: under load its next request comes in this time, and its answer is the last one.
 */
export const SILENCE = 500

/** How long a server that closes waits for its clients. */
export interface Patience {
  /** ms without a byte, after which a client is given up. */
  readonly silence: number
  /** Whether a request that has not come to its end, however slowly it comes, is given up. */
  readonly isOver: boolean
}

/** How long a client has sent nothing, as far as anybody looked. */
export class Silence {
  #bytes = 0
  #time = 0

  /**
   * Whether it has lasted too long.
   *
   * @param bytes - how many have come until now
   * @param step - ms since the last look
   */
  isOver(bytes: number, step: number, { silence }: Patience): boolean {
    this.#time = bytes === this.#bytes ? this.#time + step : 0
    this.#bytes = bytes
    return this.#time >= silence
  }
}
