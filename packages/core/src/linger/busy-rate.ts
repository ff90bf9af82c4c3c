/** How much of its weight the time before a batch ended keeps. */
const FORGETTING = 0.97

/** How many items arrive per ms while batches run. */
export class BusyRate {
  #inFlight = 0
  #since = 0
  #time = 0
  #arrivals = 0

  arrived(): void {
    if (this.#inFlight > 0) this.#arrivals += 1
  }

  started(now: number): void {
    this.#advance(now)
    this.#inFlight += 1
  }

  finished(now: number): void {
    this.#advance(now)
    // Some may have started before this began to count.
    this.#inFlight = Math.max(0, this.#inFlight - 1)
    this.#time *= FORGETTING
    this.#arrivals *= FORGETTING
  }

  get perMillisecond(): number {
    return this.#time > 0 ? this.#arrivals / this.#time : 0
  }

  #advance(now: number): void {
    if (this.#inFlight > 0) this.#time += now - this.#since
    this.#since = now
  }
}
