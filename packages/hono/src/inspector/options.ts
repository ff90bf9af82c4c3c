import type { Context } from 'hono'

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

/** @throws TypeError for an option that is not as described */
export function assertOptions({ authorize, closing }: InspectorOptions): void {
  if (authorize !== undefined && typeof authorize !== 'function') {
    throw new TypeError(
      `inspector(): Expected \`authorize\` to be a function, got ${typeof authorize}`,
    )
  }
  if (closing !== undefined && !(closing instanceof AbortSignal)) {
    throw new TypeError(
      `inspector(): Expected \`closing\` to be an AbortSignal, got ${typeof closing}`,
    )
  }
}
