import { PGlite } from '@electric-sql/pglite'

export const TITLES = 64

/** PostgreSQL in this process, with the books 1 to 64. */
export async function openDatabase(): Promise<PGlite> {
  const database = await PGlite.create()
  await database.exec(`
    create table books (id int primary key, title text not null, author text not null);
    create table reviews (
      id int generated always as identity primary key,
      book int not null references books, stars int not null, text text not null
    );
    insert into books select n, 'Title ' || n, 'Author ' || n from generate_series(1, ${TITLES}) n;
  `)
  return database
}
