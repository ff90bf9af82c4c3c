import type { PGlite } from '@electric-sql/pglite'

export interface Book {
  readonly id: number
  readonly title: string
  readonly author: string
}

export interface Review {
  readonly bookId: number
  readonly stars: number
  readonly text: string
}

export async function findBooks(database: PGlite, ids: readonly number[]) {
  const { rows } = await database.query<Book>(
    'select id, title, author from books where id = any($1)',
    [ids],
  )
  const byId = new Map(rows.map((book) => [book.id, book]))
  return ids.map((id) => byId.get(id))
}

/** @returns its id; `undefined` where there is no such book */
export async function addReview(database: PGlite, review: Review): Promise<number | undefined> {
  const { rows } = await database.query<{ id: number }>(
    `insert into reviews (book, stars, text)
     select id, $2, $3 from books where id = $1 returning id`,
    [review.bookId, review.stars, review.text],
  )
  return rows[0]?.id
}
