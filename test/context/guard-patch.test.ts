import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { describe, expect, it } from 'vitest'

const program = join(import.meta.dirname, 'patched-read.ts')

async function patched(mode: string): Promise<unknown> {
  const env = { ...process.env, NODE_ENV: mode }
  const { stdout } = await promisify(execFile)(process.execPath, [program], { env })
  return JSON.parse(stdout)
}

describe('`getStore` of every AsyncLocalStorage', () => {
  it('is watched from the first batcher on, and never twice', async () => {
    expect(await patched('development')).toEqual({ atImport: false, atFirst: true, isSame: true })
  })

  it('is left alone in production', async () => {
    expect(await patched('production')).toEqual({ atImport: false, atFirst: false, isSame: true })
  })
})
