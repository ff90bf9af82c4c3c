import type {
  Gauge,
  InspectorEvent,
  Lost,
  Member,
  Settled,
  Start,
  Update,
} from '../src/inspector/wire.ts'
import { Lane } from './lane.ts'

/** One caller's item in a batch. Times in ms on the server's clock. */
export interface Item extends Member {
  readonly batch: Batch
  /** Among the batch's items. */
  readonly place: number
  /** ms from the submit to the start of its batch. */
  queued: number
  /** ms from there to its outcome; `undefined` while it runs. */
  ran: number | undefined
  error: string | undefined
  /** The row in which its wait is drawn. */
  track: number
}

export interface Batch extends Omit<Start, 'type' | 'members' | 'batch' | 'batcher'> {
  readonly id: string
  readonly lane: Lane
  readonly items: Item[]
  /** When the first of its items came, or it started. */
  readonly from: number
  /** `undefined` while it runs. */
  endedAt: number | undefined
  error: string | undefined
  /** The row in which it is drawn: batches that run at the same time are below each other. */
  readonly slot: number
}

/** Batches that are kept, and how long, in ms. */
const MAX_BATCHES = 6000
const MAX_AGE = 35_000

/** What the page knows of the server. */
export class Model {
  readonly lanes: Lane[] = []
  readonly partitions: string[] = []
  /** While false, nothing new is taken in; what is shown already still gets its end. */
  following = true
  left = 0
  /** The server's time at the last update. */
  now = 0
  #batches = new Map<string, Batch>()
  /** What to add to `performance.now()` to have the server's time. */
  #offset: number | undefined

  /** The server's time now, as far as the page knows. */
  time(): number {
    return this.#offset === undefined ? 0 : performance.now() + this.#offset
  }

  /** Forgets everything. */
  restart(): void {
    this.#offset = undefined
    this.#batches = new Map()
    for (const lane of this.lanes) lane.clear()
  }

  take(update: Update): void {
    // Of a batch that is shown, the end may be missing.
    if (update.missed) this.restart()
    this.now = update.now
    this.left = update.left
    const offset = update.now - performance.now()
    // The update that was fastest on its way says best what time it is.
    this.#offset = this.#offset === undefined ? offset : Math.max(this.#offset, offset)
    for (const gauge of update.gauges) this.#gauge(gauge, update.now)
    for (const event of update.events) this.#event(event)
    this.#prune(update.now - MAX_AGE)
  }

  batch(id: string): Batch | undefined {
    return this.#batches.get(id)
  }

  get size(): number {
    return this.#batches.size
  }

  /** Everything that one request has submitted, as far as it is here. */
  itemsOf(request: string): Item[] {
    const items: Item[] = []
    for (const batch of this.#batches.values()) {
      for (const item of batch.items) if (item.request === request) items.push(item)
    }
    return items.toSorted((a, b) => a.submittedAt - b.submittedAt)
  }

  #gauge(gauge: Gauge, now: number): void {
    this.#lane(gauge.batcher).gauge(gauge, now)
  }

  #event(event: InspectorEvent): void {
    switch (event.type) {
      case 'start':
        if (this.following && !this.#batches.has(event.batch)) this.#start(event)
        break
      case 'join':
        this.#batches.get(event.batch)?.items.push(this.#item(event.batch, event.member))
        break
      case 'settle':
        for (const settled of event.items) settle(this.#batches.get(event.batch), settled)
        break
      case 'end': {
        const batch = this.#batches.get(event.batch)
        if (batch === undefined) break
        batch.endedAt = event.endedAt
        batch.error = event.error
        batch.lane.ended(batch)
        break
      }
      case 'lost':
        if (this.following) this.#lost(event)
        break
    }
  }

  #start(event: Start): void {
    const lane = this.#lane(event.batcher)
    const { batch: id, members, type: _type, batcher: _batcher, ...rest } = event
    const batch: Batch = {
      ...rest,
      id,
      lane,
      items: [],
      from: Math.min(event.startedAt, ...members.map(({ submittedAt }) => submittedAt)),
      endedAt: undefined,
      error: undefined,
      slot: lane.slotFor(event.startedAt),
    }
    this.#batches.set(id, batch)
    if (!this.partitions.includes(batch.partition)) this.partitions.push(batch.partition)
    for (const member of members) batch.items.push(this.#item(id, member))
    lane.started(batch)
  }

  #item(id: string, member: Member): Item {
    const batch = this.#batches.get(id) as Batch
    const queued = Math.max(0, batch.startedAt - member.submittedAt)
    const place = batch.items.length
    return { ...member, batch, place, queued, ran: undefined, error: undefined, track: 0 }
  }

  #lost({ batcher, member, endedAt, error }: Lost): void {
    this.#lane(batcher).lost.push({ ...member, endedAt, error })
  }

  #lane(name: string): Lane {
    let lane = this.lanes.find((one) => one.name === name)
    if (lane === undefined) {
      lane = new Lane(name)
      // By name, so that they stand in the same order each time.
      const next = this.lanes.findIndex((one) => one.name > name)
      this.lanes.splice(next === -1 ? this.lanes.length : next, 0, lane)
    }
    return lane
  }

  #prune(before: number): void {
    if (!this.following) return
    for (const lane of this.lanes) {
      for (const batch of lane.prune(before, MAX_BATCHES)) this.#batches.delete(batch.id)
    }
  }
}

function settle(batch: Batch | undefined, [place, queued, ran, error]: Settled): void {
  const item = batch?.items[place]
  if (item === undefined) return
  item.queued = queued
  item.ran = ran
  item.error = error
}
