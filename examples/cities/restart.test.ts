/** The database stops, and returns, while the server is under load. */
import { afterAll, beforeAll, expect, it } from 'vitest'

import { ServerProcess, stopAll } from './children.ts'
import { createTables, TENANTS } from './data.ts'
import { PostgresServer } from './postgres.ts'

const CITIES = [2_950_159, 2_988_507]
const CLIENTS = 24
const RESTARTS = 3

let postgres: PostgresServer
const { DATABASE_URL } = process.env

beforeAll(async () => {
  postgres = await PostgresServer.create()
  const { database } = postgres
  const query = async (sql: string, parameters: readonly unknown[] = []): Promise<any[]> =>
    (await database.query(sql, [...parameters])).rows
  await createTables({ query })
  // The server loads what is not there, and all cities would take half a minute.
  await query(
    `INSERT INTO heddle_demo.cities
     VALUES ($1, 'Berlin', 'DE', 3426354, point(13.41, 52.52)), ($2, 'Paris', 'FR', 2138551, point(2.35, 48.85))`,
    CITIES,
  )
  await postgres.start()
  process.env.DATABASE_URL = postgres.url
})

afterAll(async () => {
  await stopAll()
  if (DATABASE_URL === undefined) delete process.env.DATABASE_URL
  else process.env.DATABASE_URL = DATABASE_URL
  await postgres.stop()
  await postgres.database.close()
})

it.each(['before', 'after'])(
  'the app `%s` answers again, and each request has its own answer or an error',
  async (app) => {
    // Each error is printed, and there are many.
    const server = await ServerProcess.start(app, 0, {}, ['ignore', 'ignore', 'ignore', 'ipc'])
    const answers = { right: 0, failed: 0 }
    const wrong: unknown[] = []
    const load = { isOver: false }

    async function client(n: number): Promise<void> {
      const tenant = Object.keys(TENANTS)[n % 2] ?? ''
      const id = CITIES[n % 3 ? 0 : 1]
      while (!load.isOver) {
        const response = await fetch(`${server.url}/cities/${id}`, {
          headers: { 'x-tenant': tenant },
        })
        const text = await response.text()
        if (response.status >= 500) answers.failed += 1
        else if (text.includes(`"id":${id},`) && text.includes(`"tenant":"${tenant}"`)) {
          answers.right += 1
        } else wrong.push([response.status, text])
      }
    }
    const clients = Array.from({ length: CLIENTS }, (_, n) => client(n))
    // A client whose request is not answered at all ends the test.
    const ended = Promise.all(clients)
    const more = async (kind: keyof typeof answers): Promise<void> => {
      const enough = answers[kind] + 2 * CLIENTS
      while (answers[kind] < enough) await Promise.race([new Promise(setImmediate), ended])
    }

    await more('right')
    for (let n = 0; n < RESTARTS; n += 1) {
      await postgres.stop()
      await more('failed')
      await postgres.start()
      await more('right')
    }
    load.isOver = true
    await ended
    expect(wrong).toEqual([])
    await server.stop()
  },
)
