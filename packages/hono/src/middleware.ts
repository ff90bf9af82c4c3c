import type { Scope } from '@heddle/context'
import { callSite, ErrorBoundary, runIn } from '@heddle/context/engine'
import { instrumentBatchers } from '@heddle/otel'
import { context } from '@opentelemetry/api'
import type { Context, MiddlewareHandler, Next } from 'hono'

import { setDefaultHeader } from './headers.ts'
import { HttpScope } from './http-scope.ts'
import { watchHonoContext } from './needs-hono-4.12.ts'
import { lastAnswer } from './operations/last-answers.ts'
import { type HeddleOptions, resolveOptions, type Settings } from './options.ts'
import { requestIdOf } from './request-id.ts'
import { watchResponse } from './response-end.ts'
import { scopeIn, setScope } from './scope-of.ts'
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
 * scope closes when the response's last byte is out and the items that it submitted have ended.
 *
 * Used twice in a chain it opens one scope.
 *
 * @throws TypeError for an option that is not as described, or that there is not
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
  watchHonoContext()
  if (settings.telemetry) instrumentBatchers()
  if (settings.serverTiming) watchTimings()
  watchStreamHelpers()
  const telemetry = new ErrorBoundary(name)
  return function heddleMiddleware(c, next) {
    return scopeIn(c) ? next() : handle(c, next, settings, telemetry)
  }
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
  setScope(c, scope)
  const timing = serverTiming ? timingOf(c) : undefined
  const span = settings.telemetry ? openServerSpan(c, id, telemetry) : undefined
  const answered = watchResponse(c, scope, (isComplete) => {
    span?.ended(isComplete)
    if (!isComplete) scope.abort(clientGone())
  })
  const run = async (): Promise<void> => {
    try {
      await next()
      const last = lastAnswer(c.env)
      if (last !== undefined) {
        await last
        setDefaultHeader(c, 'Connection', 'close')
      }
      // Whoever has set another id, as `requestId()` behind this one, has its own header.
      if (header !== undefined && scope.requestId === id) setDefaultHeader(c, header, id)
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
