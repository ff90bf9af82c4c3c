import type { InspectorEvent } from './wire.ts'

/** The latest events, as many as fit; each reader goes on from where it was. */
export class EventLog {
  readonly #capacity: number
  #events: InspectorEvent[] = []
  /** The number of the first one that is still there. */
  #first = 0
  #weight = 0

  /** @param capacity - items and events that are kept together */
  constructor(capacity: number) {
    this.#capacity = capacity
  }

  /** The number that the next event will have. */
  get end(): number {
    return this.#first + this.#events.length
  }

  /** Whether something is gone that a reader who has read so far has not seen. */
  hasForgotten(cursor: number): boolean {
    return cursor < this.#first
  }

  push(event: InspectorEvent): void {
    this.#events.push(event)
    this.#weight += weightOf(event)
    if (this.#weight <= this.#capacity) return
    // An eighth at a time, so that an event costs the same however many are kept.
    let removed = 0
    while (this.#weight > (this.#capacity * 7) / 8 && removed < this.#events.length) {
      this.#weight -= weightOf(this.#events[removed] as InspectorEvent)
      removed += 1
    }
    this.#events = this.#events.slice(removed)
    this.#first += removed
  }

  /** What has happened since `cursor`, as far as it is still there. */
  since(cursor: number): readonly InspectorEvent[] {
    return this.#events.slice(Math.max(0, cursor - this.#first))
  }
}

function weightOf(event: InspectorEvent): number {
  return event.type === 'start' ? 1 + event.members.length : 1
}
