import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'

import { registerForeign } from '@heddle/context'

const sessions = new AsyncLocalStorage<string>()

// #region foreign
registerForeign({ name: 'session', read: () => sessions.getStore() })
// #endregion

assert.equal(sessions.getStore(), undefined)
