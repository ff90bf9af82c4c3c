export interface Settings {
  maxBatchSize: number
  maxBatchCost: number
  maxConcurrency: number
  linger: number
  maxWait: number
  minBatchSize: number
  maxQueueSize: number
  ageing: number
  readonly dedupes: boolean
  readonly hasTenants: boolean
  readonly onFailure: 'reject' | 'bisect'
}

export interface Submit {
  readonly id: number
  readonly partition: string
  readonly tenant: string
  /** Equal ones share one execution, with `dedupes`. */
  readonly text: string
  readonly cost: number
  /** 0 is high, 1 normal, 2 low. */
  readonly priority: number
  /** ms; 0 for none. */
  readonly timeout: number
}

export interface Caller extends Submit {
  readonly at: number
  readonly deadline: number
  end?: string
}

/** A place in the queue or a batch, and who waits for it. */
export interface Work {
  callers: Caller[]
  readonly partition: string
  readonly tenant: string
  readonly text: string
  readonly cost: number
  rank: number
  order: number
  /** When the caller that has the place came. */
  at: number
  running?: Call
}

export interface Call {
  readonly inputs: readonly number[]
  readonly reason: string
  readonly at: number
  readonly works: Work[]
  readonly rest: Work[][]
  aborted: boolean
  over: boolean
}

export function isWanted({ callers }: Work): boolean {
  return callers.some(({ end }) => end === undefined)
}

export function byRank(a: Work, b: Work): number {
  return a.rank - b.rank || a.order - b.order
}

export function first(works: readonly Work[]): Work {
  const [work] = works.toSorted(byRank)
  if (work === undefined) throw new Error('Nothing waits')
  return work
}

export function oldest(works: readonly Work[]): number {
  return Math.min(...works.map(({ at }) => at))
}

export function costOf(works: readonly Work[]): number {
  return works.reduce((sum, work) => sum + work.cost, 0)
}
