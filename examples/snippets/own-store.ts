import assert from 'node:assert/strict'
// #region string
import { AsyncLocalStorage } from 'node:async_hooks'

import { adopt, createKey } from '@heddle/context'

const currentTenant = new AsyncLocalStorage<string>()

const tenant = adopt(currentTenant, { name: 'app.tenant', batch: 'partition' })
// #endregion

// #region object
interface Visitor {
  readonly user: string | undefined
  readonly tenant: string
}

const currentVisitor = new AsyncLocalStorage<Visitor>()

adopt(currentVisitor, {
  name: 'app.visitor',
  batch: 'partition',
  read: (visitor) => visitor.tenant, // what the requests of a batch have in common
  enter: (name) => ({ user: undefined, tenant: name }), // the object that a batch sees
})
// #endregion

// #region strict
import { createBatcher } from '@heddle/core'

const orders = createBatcher({
  name: 'orders',
  strictStores: process.env.NODE_ENV === 'test', // an empty store throws
  run: (ids: readonly number[]) => ids.map((id) => `${currentTenant.getStore()}: order ${id}`),
})
// #endregion

// #region initial
interface Timings {
  readonly queries: number[]
}

const timings = createKey<Timings>('app.timings', { initial: () => ({ queries: [] }) })
// #endregion

export async function main(): Promise<void> {
  const order = (who: string, id: number): Promise<string> =>
    currentTenant.run(who, () => orders.submit(id))
  assert.deepEqual(await Promise.all([order('acme', 1), order('evil', 2), order('acme', 3)]), [
    'acme: order 1',
    'evil: order 2',
    'acme: order 3',
  ])
  assert.equal(orders.stats().batches.idle, 2)
  assert.equal(
    tenant.get() ?? currentVisitor.getStore()?.tenant ?? timings.get()?.queries,
    undefined,
  )
}
