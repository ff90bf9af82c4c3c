import assert from 'node:assert/strict'

// #region testing
import { createBatcher } from '@heddle/core'
import { crank, virtualClock } from '@heddle/core/testing'

export async function main(): Promise<void> {
  using clock = virtualClock()
  const { run, calls } = crank<number, string>()
  const users = createBatcher({ name: 'users', run, linger: 5 })

  const ada = users.submit(1)
  const late = users.submit(2, { timeout: 1_000 })
  await clock.advance(5) // in no time: the batch has lingered
  assert.deepEqual(calls[0]?.inputs, [1, 2])

  await clock.advance(995)
  await assert.rejects(late, { code: 'DEADLINE_EXCEEDED' })
  calls[0]?.finish(['Ada', 'Grace'])
  assert.equal(await ada, 'Ada')
}
// #endregion
