import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import type { Store } from './store.ts'

/** What both runtimes' SQLite have in common. */
interface Sqlite {
  exec(sql: string): void
  prepare(sql: string): { run(...parameters: unknown[]): { lastInsertRowid: number | bigint } }
  close(): void
}

/**
 * Inserts into a file that are on the disk when they are answered. The answer tells the row's number, and
 * that it was written for the question.
 */
export async function openSqlite(): Promise<Store> {
  const folder = mkdtempSync(join(tmpdir(), 'heddle-bench-'))
  const database = await open(join(folder, 'rows.db'))
  database.exec('PRAGMA journal_mode = WAL')
  database.exec('PRAGMA synchronous = FULL')
  database.exec('CREATE TABLE rows (id INTEGER PRIMARY KEY, n INTEGER NOT NULL)')
  const insert = database.prepare('INSERT INTO rows (n) VALUES (?)')
  const answerOf = (n: number): string => `${n} in row ${insert.run(n).lastInsertRowid}`
  return {
    name: 'SQLite, durable insert',
    async one(n) {
      return answerOf(n)
    },
    async many(numbers) {
      if (numbers.length === 1) return numbers.map(answerOf)
      database.exec('BEGIN')
      const answers = numbers.map(answerOf)
      database.exec('COMMIT')
      return answers
    },
    isRight: (n, answer) => answer.startsWith(`${n} in row `),
    async close() {
      database.close()
      rmSync(folder, { recursive: true })
    },
  }
}

async function open(file: string): Promise<Sqlite> {
  if (process.versions['bun']) {
    // Under a name that TypeScript does not look up: only Bun has it.
    const module: string = 'bun:sqlite'
    const { Database } = (await import(module)) as { Database: new (file: string) => Sqlite }
    return new Database(file)
  }
  const { DatabaseSync } = await import('node:sqlite')
  return new DatabaseSync(file)
}
