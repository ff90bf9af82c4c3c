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

interface Team {
  readonly id: number
  readonly name: string
}

const calls: string[] = []

async function findTeams(column: 'id' | 'name', values: readonly unknown[]): Promise<Team[]> {
  calls.push(`${column} ${values.join(',')}`)
  return values.map((_, index) => ({ id: index + 1, name: `team ${index + 1}` }))
}

// #region dataloader-across
const prices = new DataLoader((ids: readonly number[]) => findPrices(ids), {
  acrossRequests: true, // or limits, such as { maxConcurrency: 4, linger: 2 }
})
// #endregion

const priceBatches: (readonly number[])[] = []

async function findPrices(ids: readonly number[]): Promise<number[]> {
  priceBatches.push(ids)
  return ids.map((id) => id * 100)
}

// #region dataloader-prime
const teamsById = new DataLoader(async (ids: readonly number[]) => {
  const teams = await findTeams('id', ids)
  for (const team of teams) teamsByName.prime(team.name, team) // for each request in the batch
  return teams
})
const teamsByName: DataLoader<string, Team> = new DataLoader((names: readonly string[]) =>
  findTeams('name', names),
)
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

  await runRequest({}, async () => {
    const team = await teamsById.load(1)
    assert.equal(await teamsByName.load(team.name), team)
  })
  assert.deepEqual(calls, ['id 1'])

  // Each in a task of its own; without `acrossRequests` they would be two batches.
  const late = new Promise<number>((resolve) => {
    queueMicrotask(() => process.nextTick(() => resolve(runRequest({}, () => prices.load(2)))))
  })
  const both = [runRequest({}, () => prices.load(1)), late]
  assert.deepEqual(await Promise.all(both), [100, 200])
  assert.deepEqual(priceBatches, [[1, 2]])
}
