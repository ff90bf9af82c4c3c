import assert from 'node:assert/strict'
// #region solution
import { AsyncLocalStorage } from 'node:async_hooks'

import { adopt } from '@heddle/context'
import { createBatcher } from '@heddle/core'
import { heddle } from '@heddle/hono'
import { Hono } from 'hono'

const currentTenant = new AsyncLocalStorage<string>() // yours, unchanged
adopt(currentTenant, { name: 'app.tenant', batch: 'partition' }) // the only line that Heddle needs for this store

const users = createBatcher({
  name: 'users',
  run: (ids: readonly number[]) => findUsers(currentTenant.getStore(), ids), // one query for many requests
})

const app = new Hono()
app.use(heddle())
app.use((c, next) => currentTenant.run(c.req.header('x-tenant') ?? 'public', next))
app.get('/users/:id', async (c) => c.json(await users.submit(Number(c.req.param('id')))))
// #endregion

interface User {
  readonly id: number
  readonly tenant: string
}

const rows = new Map([1, 2, 3].map((id) => [id, { id }]))
const queries: (readonly number[])[] = []

async function findUsers(
  owner: string | undefined,
  ids: readonly number[],
): Promise<(User | undefined)[]> {
  queries.push(ids)
  return ids.map((id) => (rows.has(id) && owner ? { id, tenant: owner } : undefined))
}

/** A query as databases answer it: in an order of their own, and only what there is. */
async function selectUsers(ids: readonly number[]): Promise<User[]> {
  const found = await findUsers('public', ids)
  return found.filter((user) => user !== undefined).toReversed()
}

class NotFound extends Error {
  constructor(id: number) {
    super(`There is no user ${id}`)
  }
}

// #region contract
const strictUsers = createBatcher({
  name: 'strict-users',
  maxBatchSize: 64,
  timeout: 2_000,
  async run(ids: readonly number[]) {
    const found = await selectUsers(ids) // in any order, without those that do not exist
    const byId = new Map(found.map((user) => [user.id, user]))
    return ids.map((id) => byId.get(id) ?? new NotFound(id))
  },
})
// #endregion

const audited: string[] = []

function audit(message: string): void {
  audited.push(message)
}

// #region member
const orders = createBatcher({
  name: 'orders',
  async run(amounts: readonly number[], batch) {
    if (batch.signal.aborted) throw batch.signal.reason // every caller has left
    for (const item of batch.items) {
      item.run(() => audit(`${currentTenant.getStore()} orders ${item.input}`)) // in this member's own context
    }
    return amounts.map((amount) => amount * 100)
  },
})
// #endregion

export async function main(): Promise<void> {
  const ask = async (id: number, who: string): Promise<unknown> => {
    const response = await app.request(`/users/${id}`, { headers: { 'x-tenant': who } })
    return response.json()
  }
  assert.deepEqual(await Promise.all([ask(1, 'acme'), ask(2, 'evil'), ask(3, 'acme')]), [
    { id: 1, tenant: 'acme' },
    { id: 2, tenant: 'evil' },
    { id: 3, tenant: 'acme' },
  ])
  assert.deepEqual(queries, [[1, 3], [2]])

  const [first, missing] = await strictUsers.submitAll([1, 9])
  assert.equal(first?.status, 'fulfilled')
  assert.ok(missing?.status === 'rejected' && missing.reason instanceof NotFound)

  const cents = await Promise.all(
    ['acme', 'globex'].map((who) => currentTenant.run(who, () => orders.submit(5))),
  )
  assert.deepEqual(cents, [500, 500])
  assert.deepEqual(audited, ['acme orders 5', 'globex orders 5'])
}
