/** What the processes of the demo say to each other. */

/** What a server process has used since it started. */
export interface Usage {
  /** µs of all its threads. */
  readonly cpu: number
  /** Sent to the database. */
  readonly queries: number
}

/** What a server is asked. */
export const ASK_USAGE = { ask: 'usage' } as const

export type ServerMessage = { readonly url: string } | { readonly usage: Usage }

export interface LoadOptions {
  readonly url: string
  readonly connections: number
  readonly seconds: number
  /** The same seed asks for the same things. */
  readonly seed: number
}

export interface LoadResult {
  /** How many were answered. */
  readonly requests: number
  readonly requestsPerSecond: number
  /** ms. */
  readonly p50: number
  /** ms. */
  readonly p99: number
  /** Answers with another status than 200, lost connections and timeouts. */
  readonly errors: number
  /** Answers with status 200 that belonged to another request. */
  readonly mismatches: number
  /** The first few of each. */
  readonly examples: readonly string[]
}

export type LoadMessage = { readonly progress: number } | { readonly result: LoadResult }
