import type { Context } from 'hono'
import { HTTPException } from 'hono/http-exception'

import { TENANTS } from './data.ts'
import type { Point } from './queries.ts'

/** PostgreSQL's `int`. */
const LARGEST_ID = 2 ** 31 - 1

/** @throws HTTPException 400 */
export function tenantOf(c: Context): string {
  const tenant = c.req.header('x-tenant')
  if (tenant !== undefined && Object.hasOwn(TENANTS, tenant)) return tenant
  const known = Object.keys(TENANTS).join(', ')
  throw badRequest(`Expected header x-tenant to be one of ${known}, got ${tenant ?? 'none'}`)
}

/** @throws HTTPException 400 */
export function cityIdOf(c: Context): number {
  const text = c.req.param('id') ?? ''
  const id = Number(text)
  if (/^\d+$/.test(text) && id <= LARGEST_ID) return id
  throw badRequest(`Expected the id to be a whole number up to ${LARGEST_ID}, got ${text}`)
}

/** @throws HTTPException 400 */
export function pointOf(c: Context): Point {
  return { latitude: degreesOf(c, 'lat', 90), longitude: degreesOf(c, 'lon', 180) }
}

function degreesOf(c: Context, name: string, limit: number): number {
  const text = c.req.query(name)?.trim() ?? ''
  const degrees = Number(text)
  // `Number('')` is 0, a place in the Atlantic.
  if (text !== '' && Math.abs(degrees) <= limit) return degrees
  throw badRequest(
    `Expected ${name} to be a number from -${limit} to ${limit}, got ${text || 'none'}`,
  )
}

function badRequest(message: string): HTTPException {
  return new HTTPException(400, { message })
}
