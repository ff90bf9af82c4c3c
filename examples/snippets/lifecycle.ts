import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'

import { detach, runRequest, watchStore } from '@heddle/context'
import { createBatcher } from '@heddle/core'

const sessions = new AsyncLocalStorage<string>()

// #region foreign
watchStore({ name: 'session', read: () => sessions.getStore() })
// #endregion

assert.equal(sessions.getStore(), undefined)

const stored: string[] = []
const lines = createBatcher({
  name: 'lines',
  run: async (batch: readonly string[]) => {
    stored.push(...batch)
    return batch
  },
})

async function audit(line: string): Promise<void> {
  await lines.submit(line)
}

const { log } = console
const user = 'ann'
const gone = AbortSignal.abort(new Error('The client left'))
await runRequest({ signal: gone }, async () => {
  void lines.submit('refused')
  // #region detached-submit
  detach(() => audit(`${user} was here`)).catch(log)
  // #endregion
})
await lines.drain()
assert.deepEqual(stored, ['ann was here'])
