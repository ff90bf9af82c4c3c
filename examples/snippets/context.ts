import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'

const work = (): Promise<void> => sleep(1)

// #region context
import { createKey, runRequest } from '@heddle/context'

const requestStart = createKey<number>('app.request_start')

async function handle(): Promise<number> {
  requestStart.setOnce(performance.now()) // throws if another request has been here
  await work()
  return performance.now() - requestStart.getOrThrow()
}

const elapsed = await runRequest({ id: 'r-1', timeout: 5_000 }, handle)
// #endregion

assert.ok(elapsed > 0)
