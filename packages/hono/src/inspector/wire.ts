import type { StartReason } from '@heddle/core'

/**
 * What the server tells the page: names, ids and times, and never a value of an item, a result or the
 * message of an error. Times are ms on the server's `performance.now()` clock, in whole µs, as in spans.
 */
export interface Update {
  /** When it was sent. */
  readonly now: number
  readonly gauges: readonly Gauge[]
  /** In the order in which they happened. */
  readonly events: readonly InspectorEvent[]
  /** Whether events are missing before these, since the page was too slow to take them. */
  readonly missed: boolean
  /** Items since somebody watches that are in `gauges` alone: there were too many. */
  readonly left: number
}

/** A batcher now. */
export interface Gauge {
  readonly batcher: string
  /** Items that wait. */
  readonly queued: number
  /** The most that waited at a time since the last update. */
  readonly peak: number
  /** Batches that run. */
  readonly running: number
  /** Since somebody watches: items that ran, the batches that they ran in, and items that never ran. */
  readonly items: number
  readonly batches: number
  readonly lost: number
}

/** One caller's item. */
export interface Member {
  /** The id of its request or scope; `undefined` outside any. */
  readonly request?: string
  /** The pattern and not the path, for example `GET /users/:id`. */
  readonly route?: string
  /** The id of its trace, where an OpenTelemetry SDK is at work. */
  readonly trace?: string
  readonly submittedAt: number
}

export interface Start {
  readonly type: 'start'
  /** For example `users#17`. */
  readonly batch: string
  readonly batcher: string
  readonly size: number
  readonly maxSize: number
  readonly reason: StartReason
  readonly partition: string
  readonly startedAt: number
  /**
   * In the batch's order. Of a very large batch the first, and none if there is too much to show; with
   * `dedupeBy`, more than its size.
   */
  readonly members: readonly Member[]
}

/** How an item ended: its place among the members, `queued` and `ran` in ms, and what went wrong. */
export type Settled = readonly [place: number, queued: number, ran: number, error?: string]

export interface Settle {
  readonly type: 'settle'
  readonly batch: string
  readonly items: readonly Settled[]
}

export interface End {
  readonly type: 'end'
  readonly batch: string
  readonly endedAt: number
  /** What failed the batch as a whole. */
  readonly error?: string
}

/** A caller that joined a batch which ran already, as `dedupeBy` lets it. */
export interface Join {
  readonly type: 'join'
  readonly batch: string
  readonly member: Member
}

/** An item that never ran. */
export interface Lost {
  readonly type: 'lost'
  readonly batcher: string
  readonly member: Member
  readonly endedAt: number
  readonly error: string
}

export type InspectorEvent = Start | Settle | End | Join | Lost
