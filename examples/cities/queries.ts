import type { Database } from './database.ts'

/** Degrees. */
export interface Point {
  readonly latitude: number
  readonly longitude: number
}

/** A city as one tenant sees it. */
export interface City {
  readonly id: number
  readonly name: string
  readonly country: string
  readonly population: number
  readonly tenant: string
  /** Of the tenant. */
  readonly warehouse: string
  /** From the tenant's warehouse. */
  readonly distanceKm: number
}

/** Each row is joined with the tenant's own, so it is the database that says whose answer it is. */
const COLUMNS = `
  city.id, city.name, city.country, city.population,
  tenant.name AS tenant, tenant.warehouse,
  round(heddle_demo.distance_km(tenant.location, city.location)) AS "distanceKm"`

/** One query for one city. */
export async function cityById(
  database: Database,
  tenant: string,
  id: number,
): Promise<City | undefined> {
  const [city] = await database.queryAs<City>(
    tenant,
    `SELECT ${COLUMNS}
     FROM heddle_demo.cities city JOIN heddle_demo.tenants tenant ON tenant.name = current_setting('heddle_demo.tenant')
     WHERE city.id = $1`,
    [id],
  )
  return city
}

/** One query for many cities: the results are in the order of the ids, `undefined` for an unknown one. */
export async function citiesById(
  database: Database,
  tenant: string,
  ids: readonly number[],
): Promise<(City | undefined)[]> {
  const cities = await database.queryAs<City>(
    tenant,
    `SELECT ${COLUMNS}
     FROM heddle_demo.cities city JOIN heddle_demo.tenants tenant ON tenant.name = current_setting('heddle_demo.tenant')
     WHERE city.id = ANY ($1::int[])`,
    [ids],
  )
  const byId = new Map(cities.map((city) => [city.id, city]))
  return ids.map((id) => byId.get(id))
}

/** One query for one point. */
export async function cityNearest(
  database: Database,
  tenant: string,
  point: Point,
): Promise<City | undefined> {
  // Nearest by degrees, which the index can order by: not quite nearest by road, or near a pole.
  const [city] = await database.queryAs<City>(
    tenant,
    `SELECT ${COLUMNS}
     FROM heddle_demo.cities city JOIN heddle_demo.tenants tenant ON tenant.name = current_setting('heddle_demo.tenant')
     ORDER BY city.location <-> point($1, $2)
     LIMIT 1`,
    [point.longitude, point.latitude],
  )
  return city
}

/** One query for many points, with one walk through the index for each; results in their order. */
export async function citiesNearest(
  database: Database,
  tenant: string,
  points: readonly Point[],
): Promise<City[]> {
  return database.queryAs<City>(
    tenant,
    `SELECT ${COLUMNS}
     FROM unnest($1::float8[], $2::float8[]) WITH ORDINALITY AS asked (longitude, latitude, place)
     CROSS JOIN LATERAL (
       SELECT * FROM heddle_demo.cities
       ORDER BY location <-> point(asked.longitude, asked.latitude)
       LIMIT 1
     ) city
     JOIN heddle_demo.tenants tenant ON tenant.name = current_setting('heddle_demo.tenant')
     ORDER BY asked.place`,
    [points.map((point) => point.longitude), points.map((point) => point.latitude)],
  )
}
