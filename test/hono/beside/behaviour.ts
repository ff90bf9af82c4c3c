import type { Hono, MiddlewareHandler } from 'hono'

export interface Behaviour {
  readonly use: () => MiddlewareHandler
  readonly route: (app: Hono<any>) => unknown
  readonly request?: RequestInit
  /** What must be in the answer without Heddle, so that the comparison compares something. */
  readonly status?: number
  readonly body?: RegExp
  readonly header?: readonly [name: string, value: RegExp | null]
}
