import { aFunction, anAbortSignal, type OptionRule } from '@heddle/context/engine'
import type { Context } from 'hono'

import { assertOptions } from '../assert-options.ts'

export interface InspectorOptions {
  /**
   * Whether this request may look, for example `(c) => isAdmin(c)`. It decides in the place of `NODE_ENV` and
   * of where the request comes from: another machine, a proxy. Other websites are refused all the same.
   * Outside development the page shows no partitions, which have values of keys in them.
   *
   * @defaultValue where `NODE_ENV` is `development` who is on the same machine, elsewhere nobody
   */
  readonly authorize?: (c: Context) => boolean | Promise<boolean>
  /**
   * Is aborted when the service closes, and ends what open pages listen to: the signal of
   * `gracefulShutdown()`, which would wait for them.
   *
   * @defaultValue none
   */
  readonly closing?: AbortSignal
}

/** @throws TypeError for an option that is not as described, or that there is not */
export function assertInspectorOptions(options: InspectorOptions): void {
  assertOptions('inspector', options, RULES, "app.route('/_heddle', inspector())")
}

const RULES = {
  authorize: aFunction,
  closing: anAbortSignal,
} satisfies Record<keyof InspectorOptions, OptionRule>
