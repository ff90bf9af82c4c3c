import { subscribe, unsubscribe } from 'node:diagnostics_channel'

import { afterEach, beforeEach } from 'vitest'

export interface Warning {
  readonly code: string
  readonly topic: string
  readonly message: string
  readonly cause: unknown
}

/** What each test of this file is warned of: the list is emptied before each. */
export function collectedWarnings(): readonly Warning[] {
  const warnings: Warning[] = []
  const listener = (message: unknown): void => void warnings.push(message as Warning)
  beforeEach(() => {
    warnings.length = 0
    subscribe('heddle:warning', listener)
  })
  afterEach(() => {
    unsubscribe('heddle:warning', listener)
  })
  return warnings
}
