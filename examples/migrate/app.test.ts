/** The tests that the app had before, run on it with and without Heddle. */
import type { PGlite } from '@electric-sql/pglite'
import { type EventSourceMessage, EventSourceParserStream } from 'eventsource-parser/stream'
import type { Hono } from 'hono'
import { hc } from 'hono/client'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'

import { createApp as createAppAfter } from './after/app.ts'
import { createApp as createAppBefore } from './before/app.ts'
import { openDatabase, TITLES } from './database.ts'

type Client = ReturnType<typeof hc<ReturnType<typeof createAppBefore>>>

interface Opened {
  readonly request: ReturnType<typeof createAppBefore>['request']
  readonly client: Client
}

// One type of client for both: who calls the app by RPC need not change a line.
const apps: readonly (readonly [string, (database: PGlite) => Opened])[] = [
  ['before', (of) => opened(createAppBefore(of))],
  ['after', (of) => opened(createAppAfter(of))],
]

function opened<App extends Hono<any, any>>(app: App) {
  const { request } = app
  return { request, client: hc<App>('http://localhost', { fetch: request }) }
}

const lostDatabase = {
  query: () => Promise.reject(new Error('connection lost')),
} as unknown as PGlite

let database: PGlite
beforeAll(async () => {
  database = await openDatabase()
})
afterAll(() => database.close())

describe.each(apps)('the app %s', (_name, open) => {
  it('answers with a book, or with what it says for none', async () => {
    const { client } = open(database)
    const found = await client.books[':id'].$get({ param: { id: '7' } })
    expect(found.status).toBe(200)
    expect(await found.json()).toEqual({ id: 7, title: 'Title 7', author: 'Author 7' })
    const missing = await client.books[':id'].$get({ param: { id: '700' } })
    expect(missing.status).toBe(404)
    expect(await missing.json()).toEqual({ error: 'no such book' })
  })

  it('refuses what its validators refuse', async () => {
    const { request } = open(database)
    expect((await request('/books/seven')).status).toBe(400)
    const headers = { 'Content-Type': 'application/json' }
    const body = JSON.stringify({ stars: 6, text: '' })
    const review = await request('/books/7/reviews', { method: 'POST', body, headers })
    expect(review.status).toBe(400)
    expect(await review.json()).toMatchObject({ success: false })
  })

  it('takes a review', async () => {
    const { client } = open(database)
    const json = { stars: 5, text: 'good' }
    const review = await client.books[':id'].reviews.$post({ param: { id: '3' }, json })
    expect(review.status).toBe(201)
    const { id } = (await review.json()) as { id: number }
    const { rows } = await database.query('select book, stars from reviews where id = $1', [id])
    expect(rows).toEqual([{ book: 3, stars: 5 }])
  })

  it('tells of errors in its own way', async () => {
    const { request } = open(database)
    const review = await request('/books/99/reviews', {
      method: 'POST',
      body: JSON.stringify({ stars: 1, text: '' }),
      headers: { 'Content-Type': 'application/json', 'X-Request-Id': 'r-1' },
    })
    expect(review.status).toBe(404)
    expect(await review.json()).toEqual({ error: 'no such book', requestId: 'r-1' })
  })

  it('keeps its form of answer when the database fails', async () => {
    const { request } = open(lostDatabase)
    const answer = await request('/books/1', { headers: { 'X-Request-Id': 'r-2' } })
    expect(answer.status).toBe(500)
    expect(await answer.json()).toEqual({ error: expect.any(String), requestId: 'r-2' })
  })

  it('has the headers of its middleware', async () => {
    const { request } = open(database)
    const { headers } = await request('/books/1', { headers: { 'X-Request-Id': 'r-3' } })
    expect(headers.get('X-Request-Id')).toBe('r-3')
    expect(headers.get('Server-Timing')).toMatch(/total;dur=/)
  })

  it('sends a list as events, one by one', async () => {
    const { client } = open(database)
    const list = await client.list.$get({ query: { ids: '2,70,1' } })
    expect(list.headers.get('Content-Type')).toContain('text/event-stream')
    const events = await eventsOf(list)
    expect(events.map(({ id, event }) => [id, event])).toEqual([
      ['2', 'book'],
      ['70', 'missing'],
      ['1', 'book'],
    ])
    expect(JSON.parse(events[2]?.data ?? '')).toMatchObject({ title: 'Title 1' })
  })

  it('gives each of many callers at a time its own book', async () => {
    const { client } = open(database)
    const ids = Array.from({ length: TITLES }, (_, index) => String(index + 1))
    const books = await Promise.all(
      ids.map(async (id) => (await client.books[':id'].$get({ param: { id } })).json()),
    )
    expect(books).toMatchObject(ids.map((id) => ({ id: Number(id), title: `Title ${id}` })))
  })
})

describe('what has changed', () => {
  it.each([
    ['before', createAppBefore, TITLES],
    ['after', createAppAfter, 1],
  ] as const)('is the number of queries: %s', async (_name, createApp, queries) => {
    const app = createApp(database)
    const query = vi.spyOn(database, 'query')
    const ids = Array.from({ length: TITLES }, (_, index) => index + 1)
    await Promise.all(ids.map(async (id) => app.request(`/books/${id}`)))
    expect(query).toHaveBeenCalledTimes(queries)
    query.mockRestore()
  })
})

async function eventsOf(response: { readonly body: ReadableStream | null }) {
  const events: EventSourceMessage[] = []
  const parsed = response.body
    ?.pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventSourceParserStream())
  for await (const event of parsed ?? []) events.push(event)
  return events
}
