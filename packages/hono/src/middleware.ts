import { ContextError, type Scope, watchStore } from '@heddle/context'
import { callSite, ErrorBoundary, runIn } from '@heddle/context/engine'
import { instrumentBatchers } from '@heddle/otel'
import { context } from '@opentelemetry/api'
import type { Context, MiddlewareHandler, Next } from 'hono'
import { tryGetContext } from 'hono/context-storage'

import { setDefaultHeader } from './headers.ts'
import { HttpScope } from './http-scope.ts'
import { type HeddleOptions, resolveOptions, type Settings } from './options.ts'
import { requestIdOf } from './request-id.ts'
import { watchResponse } from './response-end.ts'
import { openServerSpan } from './server-span.ts'
import { timingOf, watchTimings, writeServerTiming } from './server-timing.ts'
import { watchStreamHelpers } from './stream-helpers.ts'
import { name } from './version.ts'

/** What `c.get()` and `c.var` have after the middleware. */
export type HeddleVariables = {
  /** The request's scope, see `@heddle/context`. */
  scope: Scope
  requestId: string
}

/**
 * Opens a scope for each request, with its id, its deadline and the client's signal, and runs the rest
 * of the app inside. Errors of batchers become HTTP answers, and traces show where the time went. The
 * scope closes when the response's last byte is out.
 *
 * Used twice in a chain it opens one scope.
 *
 * @throws TypeError for an option that is not as described
 * @example
 * ```ts
 * const app = new Hono()
 * app.use(heddle())
 * app.get('/users/:id', async (c) => c.json(await users.submit(c.req.param('id'))))
 * ```
 */
export function heddle(
  options: HeddleOptions = {},
): MiddlewareHandler<{ Variables: HeddleVariables }> {
  const settings = resolveOptions(options)
  if (settings.telemetry) instrumentBatchers()
  if (settings.serverTiming) watchTimings()
  watchStreamHelpers()
  watchStore(honoContext)
  const telemetry = new ErrorBoundary(name)
  return function heddleMiddleware(c, next) {
    return scopeIn(c) ? next() : handle(c, next, settings, telemetry)
  }
}

/**
 * The scope of the request that `c` belongs to.
 *
 * @throws ContextError `NO_SCOPE` when `heddle()` has not run before
 */
export function scopeOf(c: Context): Scope {
  const scope = scopeIn(c)
  if (scope) return scope
  throw new ContextError(
    'NO_SCOPE',
    'This request has no scope. Likely cause: `heddle()` does not run before this handler. ' +
      'Cure: put `app.use(heddle())` before the routes.',
  )
}

/** For the leak detector: no request's context is to be seen in a batch. */
const honoContext = { name: 'hono/context-storage', read: tryGetContext }

/** An app may have a variable of this name already, which is no scope of ours. */
function scopeIn(c: Context): Scope | undefined {
  const scope = c.get('scope') as Scope | undefined
  return scope?.kind === 'request' ? scope : undefined
}

/** Resolves when the response is there. */
function handle(
  c: Context,
  next: Next,
  settings: Settings,
  telemetry: ErrorBoundary,
): Promise<void> {
  const { header, serverTiming } = settings
  const id = requestIdOf(c, settings)
  const scope = new HttpScope(id, c, settings)
  const site = callSite(handle)
  if (site !== undefined) scope.openedAt = site
  c.set('scope', scope)
  c.set('requestId', id)
  const timing = serverTiming ? timingOf(c) : undefined
  const span = settings.telemetry ? openServerSpan(c, id, telemetry) : undefined
  const answered = watchResponse(c, scope, (isComplete) => {
    span?.ended(isComplete)
    if (!isComplete) scope.abort(clientGone())
  })
  const run = async (): Promise<void> => {
    try {
      await next()
      // Whoever has set another id, as `requestId()` behind this one, has its own header.
      if (header !== undefined && c.get('requestId') === id) setDefaultHeader(c, header, id)
      if (serverTiming) {
        telemetry.run('Server-Timing', () => writeServerTiming(c, scope, timing))
      }
    } finally {
      span?.answered(c)
      try {
        answered()
      } finally {
        scope.end()
      }
    }
  }
  const inScope = (): Promise<void> => runIn(scope, run)
  if (span === undefined) return inScope()
  return telemetry.enter('context manager', (fn) => context.with(span.context, fn), inScope)
}

function clientGone(): Error {
  return new DOMException('The client left before the response was complete', 'AbortError')
}
