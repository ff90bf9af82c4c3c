import assert from 'node:assert/strict'
// #region leak
import { AsyncLocalStorage } from 'node:async_hooks'

import DataLoader from 'dataloader'

const currentTenant = new AsyncLocalStorage<string>()
const users = new DataLoader(
  (ids: readonly number[]) => findUsers(currentTenant.getStore(), ids), // whose tenant?
)
// #endregion

async function findUsers(tenant: string | undefined, ids: readonly number[]): Promise<string[]> {
  return ids.map((id) => `${tenant}'s user ${id}`)
}

export async function main(): Promise<void> {
  const answers = await Promise.all([
    currentTenant.run('acme', () => users.load(1)),
    currentTenant.run('evil', () => users.load(2)),
  ])
  assert.deepEqual(answers, ["acme's user 1", "acme's user 2"])
}
