/** The page of the inspector is one module, which is made of its sources. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { describe, expect, it } from 'vitest'

const script = join(import.meta.dirname, '../../../scripts/inspector.ts')

describe('page.generated.ts', () => {
  // vite makes it, and that is for Node.
  it.skipIf('bun' in process.versions)('is as packages/hono/page says', async () => {
    const checked = promisify(execFile)(process.execPath, [script, '--check'])
    await expect(checked).resolves.toMatchObject({ stderr: '' })
  })
})
