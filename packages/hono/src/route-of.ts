import type { Context } from 'hono'

/** The route that answered, or would have if no middleware had; `undefined` where there is none. */
export function routeOf(c: Context): string | undefined {
  // Not `hono/route`: a Hono that is too old has no such module, and could not say so in words.
  const routes = c.req.matchedRoutes
  // Hono leaves it at the last handler that was called.
  const { routeIndex } = c.req
  const handler = routes.slice(routeIndex).find(({ method }) => method !== 'ALL')
  if (handler) return handler.path
  const path = routes[routeIndex]?.path
  // `app.all()` is a route, `app.use()` is none, and only their paths tell one from the other.
  return path === undefined || path.endsWith('*') ? undefined : path
}
