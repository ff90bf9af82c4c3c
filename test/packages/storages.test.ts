import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { describe, expect, it } from 'vitest'

async function storagesUsed(...args: string[]): Promise<number> {
  const program = join(import.meta.dirname, 'storages.ts')
  const env = { ...process.env, NODE_ENV: 'production' }
  const { stdout } = await promisify(execFile)(process.execPath, [program, ...args], { env })
  return Number(stdout)
}

describe('the process (R3)', () => {
  it('has one AsyncLocalStorage, whatever is made of the packages', async () => {
    expect(await storagesUsed()).toBe(1)
  })

  it('would be seen to have another', async () => {
    expect(await storagesUsed('--another')).toBe(2)
  })
})
