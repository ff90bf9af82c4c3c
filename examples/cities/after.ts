import { createKey } from '@heddle/context'
import { createBatcher } from '@heddle/core'
import { heddle, type HeddleVariables } from '@heddle/hono'
import { Hono } from 'hono'

import type { Database } from './database.ts'
import { cityIdOf, pointOf, tenantOf } from './input.ts'
import { citiesById, citiesNearest, type Point } from './queries.ts'

type Env = { Variables: HeddleVariables }

const tenant = createKey<string>('app.tenant', { batch: 'partition' })

/** The app with Heddle: one query for all requests of a tenant that wait at the time. */
export function createApp(database: Database): Hono<Env> {
  const cities = createBatcher({
    name: 'cities',
    run: (ids: readonly number[]) => citiesById(database, tenant.getOrThrow(), ids),
  })
  const nearest = createBatcher({
    name: 'nearest',
    run: (points: readonly Point[]) => citiesNearest(database, tenant.getOrThrow(), points),
  })

  const app = new Hono<Env>()
  app.use(heddle())
  app.use(async (c, next) => {
    tenant.set(tenantOf(c))
    await next()
  })

  app.get('/cities/nearest', async (c) => {
    const city = await nearest.submit(pointOf(c))
    return city ? c.json({ ...city, requestId: c.get('requestId') }) : c.notFound()
  })

  app.get('/cities/:id', async (c) => {
    const city = await cities.submit(cityIdOf(c))
    return city ? c.json({ ...city, requestId: c.get('requestId') }) : c.notFound()
  })

  return app
}
