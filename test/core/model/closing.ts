/** Who waits for a batcher to be idle, and whether it takes new items. */
export class Closing {
  /** Which of them closed it; the first close is the only one. */
  #closedBy: number | undefined
  isDraining: boolean = false
  /** When everything that is left is given up, ms. */
  givesUpAt: number = Infinity
  /** Of each `drain` and `close`, in their order: whether its promise has resolved. */
  readonly resolved: boolean[] = []

  get isClosed(): boolean {
    return this.#closedBy !== undefined
  }

  drain(isIdle: boolean): void {
    this.resolved.push(isIdle)
    if (!isIdle) this.isDraining = true
  }

  close(isIdle: boolean, givesUpAt: number): void {
    if (this.#closedBy === undefined) {
      this.#closedBy = this.resolved.length
      this.drain(isIdle)
    } else {
      this.resolved.push(this.resolved[this.#closedBy] === true)
    }
    if (this.resolved.at(-1) === false) this.givesUpAt = Math.min(this.givesUpAt, givesUpAt)
  }

  /** Nothing is queued or in flight, or what was has been given up. */
  resolve(): void {
    this.resolved.fill(true)
    this.givesUpAt = Infinity
    // A batcher that is closed has nothing to linger for.
    if (!this.isClosed) this.isDraining = false
  }
}
