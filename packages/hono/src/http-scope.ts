import { RequestScope } from '@heddle/context/engine'
import type { ItemTiming } from '@heddle/core'
import type { Context } from 'hono'

import type { Settings } from './options.ts'
import { toHttpException } from './problems.ts'
import { routeOf } from './route-of.ts'

/** What an item of a request took. */
export interface ItemTime {
  readonly batcher: string
  readonly timing: ItemTiming
}

/**
 * The scope of an HTTP request. What one may need is found here when it is needed, so that a request
 * that needs none of it pays for none of it.
 */
export class HttpScope extends RequestScope {
  readonly settings: Settings
  /** Those of its first items that have run; made with the first. */
  itemTimes: ItemTime[] | undefined
  #context: Context | undefined

  constructor(id: string, c: Context, settings: Settings) {
    const { timeout } = settings
    super(timeout === undefined ? { id } : { id, timeout })
    this.settings = settings
    this.itemTimes = undefined
    this.#context = c
  }

  protected override clientSignal(): AbortSignal | undefined {
    return this.#context?.req.raw.signal
  }

  /** The request's id as the app knows it: a middleware behind ours may have set another. */
  get requestId(): string {
    const set: unknown = this.#context?.get('requestId')
    return typeof set === 'string' ? set : this.id
  }

  /** For example `GET /users/:id`; without a route, or once it is closed, `undefined`. */
  get route(): string | undefined {
    const c = this.#context
    const path = c && routeOf(c)
    return path === undefined ? undefined : `${c?.req.method} ${path}`
  }

  override adaptFailure(error: Error): Error {
    return this.settings.problems ? toHttpException(error, this) : error
  }

  override close(): void {
    super.close()
    this.#context = undefined
    this.itemTimes = undefined
  }
}
