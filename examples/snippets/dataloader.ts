import assert from 'node:assert/strict'

import { createKey, runRequest } from '@heddle/context'

const rows = [
  { id: 1, tenant: 'acme', name: 'Ada' },
  { id: 1, tenant: 'evil', name: 'Eve' },
]
const asked: string[] = []

async function findUsers(owner: string, ids: readonly number[]): Promise<string[]> {
  asked.push(`${owner} ${ids.join(',')}`)
  return ids.map((id) => rows.find((row) => row.id === id && row.tenant === owner)?.name ?? '')
}

// #region dataloader
import DataLoader from '@heddle/core/dataloader'

const tenant = createKey<string>('app.tenant', { batch: 'partition' })

// Once, at module level: each request has a cache of its own.
const users = new DataLoader((ids: readonly number[]) => findUsers(tenant.getOrThrow(), ids))
// #endregion

export async function main(): Promise<void> {
  const request = (name: string): Promise<string[]> =>
    runRequest({ entries: [tenant.of(name)] }, () =>
      Promise.all([users.load(1), users.load(1), users.load(1)]),
    )
  assert.deepEqual(await Promise.all([request('acme'), request('evil')]), [
    ['Ada', 'Ada', 'Ada'],
    ['Eve', 'Eve', 'Eve'],
  ])
  assert.deepEqual(asked, ['acme 1', 'evil 1'])
}
