import type { Context } from 'hono'

import type { Carrier } from './queued-response.ts'

/** What an adapter for Node puts into `c.env`, for HTTP/1 and HTTP/2. */
export interface NodeBindings {
  readonly incoming?: Incoming
  readonly outgoing?: Outgoing
}

export interface Incoming {
  readonly aborted?: boolean
  readonly socket?: Carrier
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

export interface Outgoing {
  readonly headersSent: boolean
  readonly writableFinished: boolean
  /** HTTP/1 alone. */
  readonly closed?: boolean
  /** `null` until the responses before it on the same connection have been sent. */
  readonly socket?: object | null
  /** HTTP/2 alone. */
  readonly stream?: { readonly closed: boolean }
  on(event: 'close', listener: () => void): unknown
  setHeader(name: string, value: string): unknown
}

export function nodeBindings(c: Context): NodeBindings {
  return (c.env ?? {}) as NodeBindings
}

/**
 * Those that this very request came with. An app may give its `c.env` to a request that it makes itself,
 * or put another request in the place of the one that came.
 */
export function ownBindings(c: Context): NodeBindings {
  // What came is not made by the constructor: an adapter's request reads its headers when it is asked.
  return Object.getPrototypeOf(c.req.raw) === Request.prototype ? NONE : nodeBindings(c)
}

const NONE: NodeBindings = {}
