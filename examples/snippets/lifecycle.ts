import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'

import { watchStore } from '@heddle/context'

const sessions = new AsyncLocalStorage<string>()

// #region foreign
watchStore({ name: 'session', read: () => sessions.getStore() })
// #endregion

assert.equal(sessions.getStore(), undefined)
