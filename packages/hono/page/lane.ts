import type { Gauge, Member } from '../src/inspector/wire.ts'
import type { Batch } from './model.ts'

/** How a batcher stood at a time. */
export interface Reading extends Gauge {
  readonly at: number
}

export interface LostItem extends Member {
  readonly endedAt: number
  readonly error: string
}

/** ms of readings that are kept. */
const MEMORY = 31_000
/** Batches that the pictures of sizes and waits are made of. */
const RECENT = 200

/** One batcher. */
export class Lane {
  readonly name: string
  /** In the order of their start. */
  batches: Batch[] = []
  lost: LostItem[] = []
  readings: Reading[] = []
  /** The row of each wait and each batch is free from then on. */
  #tracks: number[] = []
  #slots: number[] = []

  constructor(name: string) {
    this.name = name
  }

  /** The most batches that have run at a time. */
  get slots(): number {
    return Math.max(1, this.#slots.length)
  }

  get latest(): Reading | undefined {
    return this.readings.at(-1)
  }

  clear(): void {
    this.batches = []
    this.lost = []
    this.readings = []
    this.#tracks = []
    this.#slots = []
  }

  gauge(gauge: Gauge, at: number): void {
    this.readings.push({ ...gauge, at })
    while ((this.readings[0]?.at ?? at) < at - MEMORY) this.readings.shift()
  }

  /** Items per second, of the last one. */
  get rate(): number {
    const { latest } = this
    const before = this.readings.findLast(({ at }) => at <= (latest?.at ?? 0) - 1000)
    if (latest === undefined || before === undefined) return 0
    return ((latest.items - before.items) / (latest.at - before.at)) * 1000
  }

  /** The latest batches, for pictures. */
  get recent(): readonly Batch[] {
    return this.batches.slice(-RECENT)
  }

  slotFor(startedAt: number): number {
    const free = this.#slots.findIndex((end) => end <= startedAt + TOLERANCE)
    const slot = free === -1 ? this.#slots.length : free
    this.#slots[slot] = Number.POSITIVE_INFINITY
    return slot
  }

  started(batch: Batch): void {
    this.batches.push(batch)
    for (const item of batch.items.toSorted((a, b) => a.submittedAt - b.submittedAt)) {
      const free = this.#tracks.findIndex((end) => end <= item.submittedAt)
      item.track = free === -1 ? this.#tracks.length : free
      this.#tracks[item.track] = batch.startedAt
    }
  }

  ended(batch: Batch): void {
    this.#slots[batch.slot] = batch.endedAt ?? batch.startedAt
  }

  /** Forgets what is old or too much, and returns it. */
  prune(before: number, most: number): readonly Batch[] {
    let count = Math.max(0, this.batches.length - most)
    while ((this.batches[count]?.startedAt ?? before) < before) count += 1
    const old = count === 0 ? [] : this.batches.splice(0, count)
    if ((this.lost[0]?.endedAt ?? before) < before || this.lost.length > most) {
      this.lost = this.lost.slice(-most).filter(({ endedAt }) => endedAt >= before)
    }
    return old
  }

  /** Where the batches begin that may be seen from this time on, whatever they took. */
  indexAt(time: number): number {
    let low = 0
    let high = this.batches.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.batches[middle]?.startedAt ?? 0) < time) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** ms. A slot is free before its end has been noted. */
const TOLERANCE = 0.5
