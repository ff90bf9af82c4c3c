import { runNeutral } from './neutral.ts'
import { storage } from './registry.ts'
import { DetachedScope } from './request-scope.ts'
import { runOwned } from './run.ts'
import type { ContextKey } from './types.ts'
import { callSite } from './warning.ts'

export interface DetachOptions {
  /** Keys whose values the work takes along. @defaultValue none */
  readonly keep?: readonly ContextKey<any>[]
}

/**
 * Starts work that outlives the request: it runs in a scope of its own, with the values of
 * `options.keep` as they are now and nothing else of the request, on neutral ground. Neither the
 * request's end nor its abort or deadline ends it; the scope closes when the work has settled.
 *
 * @returns what `fn` returns
 * @example
 * ```ts
 * detach(() => sendMail(tenant.get()), { keep: [tenant] })
 * ```
 */
export function detach<R>(fn: () => R, options: DetachOptions = {}): R {
  const parent = storage.getStore()
  const entries = (options.keep ?? []).flatMap((key) => {
    const value = parent?.has(key) ? parent.get(key) : undefined
    return value === undefined ? [] : [key.of(value)]
  })
  const scope = new DetachedScope({})
  scope.openedAt = callSite(detach)
  return runNeutral(() => runOwned(scope, entries, fn))
}
