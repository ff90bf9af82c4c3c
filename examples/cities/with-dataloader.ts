import DataLoader from 'dataloader'
import { Hono } from 'hono'
import { contextStorage, getContext } from 'hono/context-storage'
import { requestId } from 'hono/request-id'

import type { Database } from './database.ts'
import { cityIdOf, pointOf, tenantOf } from './input.ts'
import { citiesById, citiesNearest, type City, type Point } from './queries.ts'

type Env = { Variables: { requestId: string; tenant: string } }

const currentTenant = (): string => getContext<Env>().get('tenant')

/** Loads across requests, as Heddle does: whatever comes in one turn of the event loop is one batch. */
const OPTIONS: DataLoader.Options<any, any> = {
  cache: false,
  maxBatchSize: 64,
  batchScheduleFn: (dispatch) => setImmediate(dispatch),
}

/**
 * The app with DataLoader in the place of Heddle. Do not copy it: the batch function runs in the
 * context of the request that came first, so `currentTenant()` is that one's tenant, and every other
 * request of the batch gets that tenant's rows.
 */
export function createApp(database: Database): Hono<Env> {
  const cities = new DataLoader<number, City | undefined>(
    (ids) => citiesById(database, currentTenant(), ids),
    OPTIONS,
  )
  const nearest = new DataLoader<Point, City>(
    (points) => citiesNearest(database, currentTenant(), points),
    OPTIONS,
  )

  const app = new Hono<Env>()
  app.use(requestId(), contextStorage())
  app.use(async (c, next) => {
    c.set('tenant', tenantOf(c))
    await next()
  })

  app.get('/cities/nearest', async (c) => {
    const city = await nearest.load(pointOf(c))
    return city ? c.json({ ...city, requestId: c.get('requestId') }) : c.notFound()
  })

  app.get('/cities/:id', async (c) => {
    const city = await cities.load(cityIdOf(c))
    return city ? c.json({ ...city, requestId: c.get('requestId') }) : c.notFound()
  })

  return app
}
