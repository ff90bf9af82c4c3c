import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { describe, expect, it } from 'vitest'

const isBun = 'bun' in process.versions

async function importLate(...args: string[]): Promise<unknown> {
  const program = join(import.meta.dirname, 'dirty-import.ts')
  const { stdout } = await promisify(execFile)(process.execPath, [program, ...args])
  return JSON.parse(stdout)
}

describe('neutral ground', () => {
  it('is reported when the package was first imported inside a request', async () => {
    // Bun evaluates a module at the root, whoever imports it, so there the ground is clean.
    expect(await importLate()).toEqual(
      isBun ? { seen: null, codes: [] } : { seen: 'request', codes: ['DIRTY_NEUTRAL'] },
    )
  })

  it('is clean when it was imported before', async () => {
    expect(await importLate('--early')).toEqual({ seen: null, codes: [] })
  })
})
