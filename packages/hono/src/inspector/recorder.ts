import { clock } from '@heddle/context/engine'
import { type BatcherHooks, type BatchInfo, instrument, type SettledItem } from '@heddle/core'

import { name } from '../version.ts'
import { Budget } from './budget.ts'
import { callerNow } from './caller.ts'
import { EventLog } from './event-log.ts'
import { Gauges } from './gauges.ts'
import { errorName, micros } from './terms.ts'
import type { Member, Settled, Update } from './wire.ts'

/** Items and events that are kept for a page that is slow, or opened second: a few MB. */
const CAPACITY = 20_000
/** Of one batch. */
const MAX_MEMBERS = 256
/** That are shown a second, and at a time: more than an eye can follow, and less than a browser minds. */
const ITEMS = [6000, 1200] as const
const BATCHES = [2000, 400] as const

/** What is kept of an item from its submit on. */
interface Note {
  readonly batcher: string
  readonly member: Member
}

/** A batch that runs, if it is shown. */
interface OpenBatch {
  readonly places: Map<Note, number>
  /** Whether its items are shown, too. */
  readonly hasItems: boolean
  settled: Settled[]
}

/** Who looks. */
export interface Watcher extends Disposable {
  /** What has happened since the last call, or since the first one watches. */
  read(): Update
}

/** Notes what batchers do while somebody watches; else there is not even a hook. */
export class Recorder {
  readonly #shows: { readonly partitions: boolean }
  #watchers = 0
  #hooks: Disposable | undefined
  #log = new EventLog(CAPACITY)
  #open = new Map<string, OpenBatch>()
  #gauges = new Gauges()
  #items = new Budget(...ITEMS)
  #batches = new Budget(...BATCHES)
  /** Items that are not shown. */
  #left = 0

  /** @param shows - whether partitions are named: they have values of keys in them */
  constructor(shows: { readonly partitions: boolean }) {
    this.#shows = shows
  }

  watch(): Watcher {
    this.#watchers += 1
    this.#hooks ??= instrument(this.#observer())
    let cursor = 0
    let isOver = false
    return {
      read: () => {
        for (const [id, open] of this.#open) this.#logSettled(id, open)
        const events = this.#log.since(cursor)
        const missed = this.#log.hasForgotten(cursor)
        cursor = this.#log.end
        const gauges = this.#gauges.read()
        return { now: micros(clock.now()), gauges, events, missed, left: this.#left }
      },
      [Symbol.dispose]: () => {
        if (isOver) return
        isOver = true
        this.#watchers -= 1
        if (this.#watchers === 0) this.#stop()
      },
    }
  }

  #stop(): void {
    this.#hooks?.[Symbol.dispose]()
    this.#hooks = undefined
    this.#log = new EventLog(CAPACITY)
    this.#open = new Map()
    this.#gauges = new Gauges()
    this.#items = new Budget(...ITEMS)
    this.#batches = new Budget(...BATCHES)
    this.#left = 0
  }

  #observer(): BatcherHooks<Note> {
    return {
      name: `${name} inspector`,
      onSubmit: ({ batcher, submittedAt, queueSize }) => {
        this.#gauges.submitted(batcher, queueSize)
        return { batcher, member: { ...callerNow(), submittedAt: micros(submittedAt) } }
      },
      aroundBatch: (batch, notes, next) => {
        this.#start(batch, notes)
        return this.#ended(batch, this.#gauges, next)
      },
      onSettle: (item, note) => this.#settle(item, note),
    }
  }

  #start(batch: BatchInfo, notes: readonly (Note | undefined)[]): void {
    const { id, batcher, size, maxSize, reason, startedAt } = batch
    this.#gauges.started(batcher, size)
    const known = notes.filter((note) => note !== undefined)
    const isShown = this.#batches.takes(1)
    const hasItems = isShown && this.#items.takes(Math.min(known.length, MAX_MEMBERS))
    const kept = hasItems ? known.slice(0, MAX_MEMBERS) : []
    this.#left += known.length - kept.length
    if (!isShown) return
    this.#open.set(id, {
      places: new Map(kept.map((note, place) => [note, place])),
      hasItems,
      settled: [],
    })
    this.#log.push({
      type: 'start',
      batch: id,
      batcher,
      size,
      maxSize,
      reason,
      partition: this.#shows.partitions ? batch.partition : '',
      startedAt: micros(startedAt),
      members: kept.map(({ member }) => member),
    })
  }

  /** @param gauges - that have counted its start: others may look by the time that it ends */
  async #ended(batch: BatchInfo, gauges: Gauges, next: () => Promise<void>): Promise<void> {
    const { id, batcher } = batch
    let error: string | undefined
    try {
      await next()
    } catch (failure) {
      error = errorName(failure)
      throw failure
    } finally {
      const endedAt = micros(batch.endedAt ?? clock.now())
      gauges.ended(batcher)
      const open = this.#open.get(id)
      if (open) {
        // Its members have been settled by now, in the same turn.
        this.#logSettled(id, open)
        this.#open.delete(id)
        this.#log.push({ type: 'end', batch: id, endedAt, ...(error ? { error } : {}) })
      }
    }
  }

  #settle(item: SettledItem, note: Note | undefined): void {
    const { timing, settledAt, outcome } = item
    const error = outcome === 'rejected' ? errorName(item.error) : undefined
    if (timing === undefined) {
      this.#gauges.lost(item.batcher)
      // An item from before somebody watched has no note.
      if (note === undefined || error === undefined || !this.#items.takes(1)) return
      const { batcher, member } = note
      this.#log.push({ type: 'lost', batcher, member, endedAt: micros(settledAt), error })
      return
    }
    const batch = this.#open.get(timing.batchId)
    if (batch === undefined || note === undefined) return
    const place = batch.places.get(note) ?? this.#join(timing.batchId, batch, note)
    if (place === undefined) return
    const times = [micros(timing.queued), micros(timing.ran)] as const
    batch.settled.push(error === undefined ? [place, ...times] : [place, ...times, error])
  }

  /** With `dedupeBy` a caller may join what runs already. */
  #join(id: string, { places, hasItems }: OpenBatch, note: Note): number | undefined {
    // Its place tells a caller that came later from one that there was no room for.
    if (!hasItems || places.size >= MAX_MEMBERS || !this.#items.takes(1)) return undefined
    const place = places.size
    places.set(note, place)
    this.#log.push({ type: 'join', batch: id, member: note.member })
    return place
  }

  #logSettled(batch: string, open: OpenBatch): void {
    if (open.settled.length === 0) return
    this.#log.push({ type: 'settle', batch, items: open.settled })
    open.settled = []
  }
}
