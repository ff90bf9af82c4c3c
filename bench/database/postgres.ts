import { PGlite } from '@electric-sql/pglite'

import type { Store } from './store.ts'

const ROWS = 10_000

/** What PGlite and a pool of connections have in common. */
interface Queryable {
  query(sql: string, parameters?: any[]): Promise<{ rows: any[] }>
}

interface Row {
  readonly id: number
  readonly name: string
}

/** PostgreSQL inside this process, in memory. */
export async function openPGlite(): Promise<Store> {
  const database = await PGlite.create()
  return openRows('PGlite, select by id', database, () => database.close())
}

/** The server of `DATABASE_URL`, in which it makes a table and drops it. */
export async function openServer(url: string): Promise<Store> {
  const { default: pg } = await import('pg')
  const pool = new pg.Pool({ connectionString: url })
  return openRows('PostgreSQL, select by id', pool, () => pool.end())
}

async function openRows(
  name: string,
  database: Queryable,
  close: () => Promise<void>,
): Promise<Store> {
  const table = 'heddle_bench'
  await database.query(`DROP TABLE IF EXISTS ${table}`)
  await database.query(`CREATE TABLE ${table} (id int PRIMARY KEY, name text NOT NULL)`)
  await database.query(
    `INSERT INTO ${table} SELECT n, 'row ' || n FROM generate_series(0, ${ROWS - 1}) AS n`,
  )
  async function one(n: number): Promise<string> {
    const sql = `SELECT id, name FROM ${table} WHERE id = $1`
    const { rows } = await database.query(sql, [n % ROWS])
    return (rows as Row[])[0]?.name ?? ''
  }
  return {
    name,
    one,
    async many(numbers) {
      // So that a batch of one costs what the plain query costs.
      if (numbers.length === 1) return [await one(numbers[0] ?? 0)]
      const sql = `SELECT id, name FROM ${table} WHERE id = ANY($1)`
      const { rows } = await database.query(sql, [numbers.map((n) => n % ROWS)])
      const names = new Map((rows as Row[]).map((row) => [row.id, row.name]))
      return numbers.map((n) => names.get(n % ROWS) ?? '')
    },
    isRight: (n, answer) => answer === `row ${n % ROWS}`,
    async close() {
      await database.query(`DROP TABLE ${table}`)
      await close()
    },
  }
}
