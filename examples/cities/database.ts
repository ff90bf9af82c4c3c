/** As little of a database as this app needs, so that it runs on PGlite and on a PostgreSQL server. */
export interface Database {
  /** How many queries were sent since it was opened. */
  readonly queries: number
  query<Row>(sql: string, parameters?: readonly unknown[]): Promise<Row[]>
  close(): Promise<void>
}

type Connection = Omit<Database, 'queries'>

/**
 * Opens the PostgreSQL server of `DATABASE_URL`, or without it PGlite: PostgreSQL inside this process,
 * in memory.
 *
 * @throws Error when `DATABASE_URL` cannot be reached
 */
export async function openDatabase(): Promise<Database> {
  const url = process.env.DATABASE_URL
  return new CountedDatabase(url ? await connect(url) : await startInProcess())
}

class CountedDatabase implements Database {
  queries = 0
  readonly #connection: Connection

  constructor(connection: Connection) {
    this.#connection = connection
  }

  query<Row>(sql: string, parameters?: readonly unknown[]): Promise<Row[]> {
    this.queries += 1
    return this.#connection.query(sql, parameters)
  }

  close(): Promise<void> {
    return this.#connection.close()
  }
}

async function startInProcess(): Promise<Connection> {
  const { PGlite } = await import('@electric-sql/pglite')
  const database = await PGlite.create()
  return {
    async query<Row>(sql: string, parameters: readonly unknown[] = []) {
      const { rows } = await database.query<Row>(sql, [...parameters])
      return rows
    },
    close: () => database.close(),
  }
}

async function connect(url: string): Promise<Connection> {
  const { default: pg } = await import('pg')
  const pool = new pg.Pool({ connectionString: url, connectionTimeoutMillis: 5000 })
  // A server that goes away while a connection is idle must not end the process: the next query tells.
  pool.on('error', () => {})
  try {
    await pool.query('SELECT 1')
  } catch (error) {
    await pool.end()
    throw new Error(`The database of DATABASE_URL cannot be used: ${reasonOf(error)}`, {
      cause: error,
    })
  }
  return {
    async query(sql, parameters = []) {
      const { rows } = await pool.query(sql, [...parameters])
      return rows
    },
    close: () => pool.end(),
  }
}

function reasonOf(error: unknown): string {
  // A name with several addresses fails with all their errors at once, and no message of its own.
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join('; ')
  return error instanceof Error ? error.message : String(error)
}
