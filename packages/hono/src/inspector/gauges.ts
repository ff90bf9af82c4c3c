import type { Gauge } from './wire.ts'

type Counts = { -readonly [Name in keyof Omit<Gauge, 'batcher'>]: Gauge[Name] }

/** How each batcher stands, counted in full also where not every item is shown. */
export class Gauges {
  readonly #counts = new Map<string, Counts>()

  /** @param queueSize - without it */
  submitted(batcher: string, queueSize: number): void {
    const counts = this.#of(batcher)
    // What is counted besides starts from here anew, so it cannot drift.
    counts.queued = queueSize + 1
    counts.peak = Math.max(counts.peak, counts.queued)
  }

  started(batcher: string, size: number): void {
    const counts = this.#of(batcher)
    counts.queued = Math.max(0, counts.queued - size)
    counts.running += 1
    counts.batches += 1
    counts.items += size
  }

  ended(batcher: string): void {
    const counts = this.#of(batcher)
    counts.running = Math.max(0, counts.running - 1)
  }

  /** An item that never ran. */
  lost(batcher: string): void {
    const counts = this.#of(batcher)
    counts.queued = Math.max(0, counts.queued - 1)
    counts.lost += 1
  }

  read(): Gauge[] {
    return [...this.#counts].map(([batcher, counts]) => {
      const gauge = { batcher, ...counts }
      counts.peak = counts.queued
      return gauge
    })
  }

  #of(batcher: string): Counts {
    let counts = this.#counts.get(batcher)
    if (counts === undefined) {
      counts = { queued: 0, peak: 0, running: 0, items: 0, batches: 0, lost: 0 }
      this.#counts.set(batcher, counts)
    }
    return counts
  }
}
