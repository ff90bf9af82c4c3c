import type { PGlite } from '@electric-sql/pglite'
import { createBatcher } from '@heddle/core'
import { heddle } from '@heddle/hono'
import { zValidator } from '@hono/zod-validator'
import { Hono } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { requestId } from 'hono/request-id'
import { streamSSE } from 'hono/streaming'
import { timing } from 'hono/timing'
import * as z from 'zod'

import { addReview, findBooks } from './books.ts'

const id = z.coerce.number().int().positive()
const aBook = z.object({ id })
const aReview = z.object({ stars: z.number().int().min(1).max(5), text: z.string().max(1000) })
const aList = z.object({ ids: z.string().transform((ids) => z.array(id).parse(ids.split(','))) })

export function createApp(database: PGlite) {
  const books = createBatcher({
    name: 'books',
    run: (ids: readonly number[]) => findBooks(database, ids),
  })

  const app = new Hono()
    .use(requestId(), timing(), heddle())
    .get('/books/:id', zValidator('param', aBook), async (c) => {
      const book = await books.submit(c.req.valid('param').id)
      return book ? c.json(book, 200) : c.json({ error: 'no such book' }, 404)
    })
    .post(
      '/books/:id/reviews',
      zValidator('param', aBook),
      zValidator('json', aReview),
      async (c) => {
        const bookId = c.req.valid('param').id
        const review = await addReview(database, { bookId, ...c.req.valid('json') })
        if (review === undefined) throw new HTTPException(404, { message: 'no such book' })
        return c.json({ id: review }, 201)
      },
    )
    .get('/list', zValidator('query', aList), (c) =>
      streamSSE(c, async (stream) => {
        for (const each of c.req.valid('query').ids) {
          const book = await books.submit(each)
          const event = book ? 'book' : 'missing'
          await stream.writeSSE({ id: String(each), event, data: JSON.stringify(book ?? null) })
        }
      }),
    )

  app.onError((error, c) => {
    const status = error instanceof HTTPException ? error.status : 500
    const message = error instanceof HTTPException ? error.message : 'internal error'
    return c.json({ error: message, requestId: c.get('requestId') }, status)
  })
  return app
}
