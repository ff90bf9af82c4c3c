/** As little of a database as this app needs, so that it runs on PGlite and on a PostgreSQL server. */
export interface Database {
  /** How many queries of tenants were sent since it was opened. */
  readonly queries: number
  query: Query
  /**
   * One query as a tenant: in a transaction that says whose it is, as row-level security needs it. The
   * SQL finds the tenant by `current_setting('heddle_demo.tenant')`.
   */
  queryAs<Row>(tenant: string, sql: string, parameters: readonly unknown[]): Promise<Row[]>
  close(): Promise<void>
}

export type Query = <Row>(sql: string, parameters?: readonly unknown[]) => Promise<Row[]>

interface Connection {
  query: Query
  transaction<R>(run: (query: Query) => Promise<R>): Promise<R>
  close(): Promise<void>
}

/** ms for a connection, and for a query of a request: a server that hangs must not hold requests for ever. */
const PATIENCE = 2000

const LIMIT = { query_timeout: PATIENCE }

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

  get query(): Query {
    return this.#connection.query
  }

  queryAs<Row>(tenant: string, sql: string, parameters: readonly unknown[]): Promise<Row[]> {
    this.queries += 1
    return this.#connection.transaction(async (query) => {
      await query("SELECT set_config('heddle_demo.tenant', $1, true)", [tenant])
      return query<Row>(sql, parameters)
    })
  }

  close(): Promise<void> {
    return this.#connection.close()
  }
}

async function startInProcess(): Promise<Connection> {
  const { PGlite } = await import('@electric-sql/pglite')
  const database = await PGlite.create()
  return {
    query: queryOn(database),
    transaction: (run) => database.transaction((transaction) => run(queryOn(transaction))),
    close: () => database.close(),
  }
}

async function connect(url: string): Promise<Connection> {
  const { default: pg } = await import('pg')
  const pool = new pg.Pool({
    connectionString: url,
    connectionTimeoutMillis: PATIENCE,
  })
  // A server that goes away must not end the process; the next query tells. The pool listens to a connection
  // only while it is idle, and one that is in use may break between two queries, too.
  pool.on('error', () => {})
  pool.on('connect', (client) => void client.on('error', () => {}))
  try {
    await pool.query('SELECT 1')
  } catch (error) {
    await pool.end()
    throw new Error(`The database of DATABASE_URL cannot be used: ${reasonOf(error)}`, {
      cause: error,
    })
  }
  return {
    query: queryOn(pool),
    async transaction(run) {
      const client = await pool.connect()
      const query: Queryable['query'] = (text, values) => client.query({ text, values, ...LIMIT })
      try {
        await client.query({ text: 'BEGIN', ...LIMIT })
        const result = await run(queryOn({ query }))
        await client.query({ text: 'COMMIT', ...LIMIT })
        client.release()
        return result
      } catch (error) {
        // Closed, which ends the transaction: after an error it may be the connection that cannot be used.
        client.release(true)
        throw error
      }
    },
    close: () => pool.end(),
  }
}

/** What PGlite, a pool, a client and a transaction have in common. */
interface Queryable {
  query(sql: string, parameters: any[]): Promise<{ rows: any[] }>
}

function queryOn(target: Queryable): Query {
  return async (sql, parameters = []) => {
    const { rows } = await target.query(sql, [...parameters])
    return rows
  }
}

function reasonOf(error: unknown): string {
  // A name with several addresses fails with all their errors at once, and no message of its own.
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join('; ')
  return error instanceof Error ? error.message : String(error)
}
