import type { Context } from 'hono'

export interface InspectorOptions {
  /**
   * Whether this request may look, for example `(c) => isAdmin(c)`. With it the inspector serves in
   * production, too; there it shows no partitions, which have values of keys in them.
   *
   * @defaultValue in development those on the machine itself, in production nobody
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
