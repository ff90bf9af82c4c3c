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

export async function findBook(database: PGlite, id: number): Promise<Book | undefined> {
  const { rows } = await database.query<Book>('select id, title, author from books where id = $1', [
    id,
  ])
  return rows[0]
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
