import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'

import { createBatcher } from '@heddle/core'

/** The hooks of a test runner, as far as the snippet needs them. */
const hooks: (() => void)[] = []
const beforeEach = (fn: () => void): unknown => hooks.push(fn)
const afterEach = beforeEach

// #region strict-tests
import { strictStores } from '@heddle/core/testing'

let strict: Disposable

beforeEach(() => {
  strict = strictStores()
})

afterEach(() => {
  strict[Symbol.dispose]()
})
// #endregion

const forgotten = new AsyncLocalStorage<string>() // not adopted

const orders = createBatcher({
  name: 'strict-orders',
  run: (ids: readonly number[]) => ids.map((id) => `${forgotten.getStore()}: order ${id}`),
})

export async function main(): Promise<void> {
  const [before, after] = hooks
  before?.()
  try {
    const order = forgotten.run('acme', () => orders.submit(1))
    await assert.rejects(order, (error: Error & { code: string }) => {
      assert.equal(error.code, 'BATCH_FAILED')
      assert.equal((error.cause as { code?: unknown }).code, 'IN_BATCH')
      return true
    })
  } finally {
    after?.()
  }
}
