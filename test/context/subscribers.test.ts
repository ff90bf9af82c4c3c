import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { expect, it } from 'vitest'

it('a subscriber that throws is an uncaught exception only where it came before the package', async () => {
  const program = join(import.meta.dirname, 'early-subscriber.ts')
  const { stdout } = await promisify(execFile)(process.execPath, [program])
  expect(JSON.parse(stdout)).toEqual(['early'])
})
