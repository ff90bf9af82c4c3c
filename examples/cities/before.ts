import { Hono } from 'hono'
import { contextStorage, getContext } from 'hono/context-storage'
import { requestId } from 'hono/request-id'

import type { Database } from './database.ts'
import { cityIdOf, pointOf, tenantOf } from './input.ts'
import { cityById, cityNearest } from './queries.ts'

type Env = { Variables: { requestId: string; tenant: string } }

const currentTenant = (): string => getContext<Env>().get('tenant')

/** The app as it is without Heddle: one query for each request. */
export function createApp(database: Database): Hono<Env> {
  const app = new Hono<Env>()
  app.use(requestId(), contextStorage())
  app.use(async (c, next) => {
    c.set('tenant', tenantOf(c))
    await next()
  })

  app.get('/cities/nearest', async (c) => {
    const city = await cityNearest(database, currentTenant(), pointOf(c))
    return city ? c.json({ ...city, requestId: c.get('requestId') }) : c.notFound()
  })

  app.get('/cities/:id', async (c) => {
    const city = await cityById(database, currentTenant(), cityIdOf(c))
    return city ? c.json({ ...city, requestId: c.get('requestId') }) : c.notFound()
  })

  return app
}
