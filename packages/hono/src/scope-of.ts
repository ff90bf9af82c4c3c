import { ContextError, type Scope } from '@heddle/context'
import type { Context } from 'hono'

import type { HttpScope } from './http-scope.ts'

/**
 * Where a request's scope is in Hono's context. An app's own variable of the name `scope` is the app's,
 * and a symbol is nobody else's; another copy of this package finds it, too.
 */
const SCOPE = Symbol.for('@heddle/hono/scope') as unknown as string

/**
 * The scope of the request that `c` belongs to.
 *
 * @throws ContextError `NO_SCOPE` when `heddle()` has not run before
 */
export function scopeOf(c: Context): Scope {
  return httpScopeOf(c)
}

/** @throws ContextError `NO_SCOPE` when `heddle()` has not run before */
export function httpScopeOf(c: Context): HttpScope {
  const scope = scopeIn(c)
  if (scope) return scope
  throw new ContextError(
    'NO_SCOPE',
    'This request has no scope. Likely cause: `heddle()` does not run before this handler. ' +
      'Cure: put `app.use(heddle())` before the routes.',
  )
}

export function scopeIn(c: Context): HttpScope | undefined {
  return c.get(SCOPE) as HttpScope | undefined
}

/** Puts it, and the id, also where `HeddleVariables` says, unless the app has something of its own there. */
export function setScope(c: Context, scope: HttpScope): void {
  c.set(SCOPE, scope)
  if (c.get('scope') === undefined) c.set('scope', scope)
  if (!c.get('requestId')) c.set('requestId', scope.id)
}
