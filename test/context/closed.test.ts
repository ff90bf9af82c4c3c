import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { expect, it } from 'vitest'

it('a use after the close says in production which scope and key it was, and when it closed', async () => {
  const program = join(import.meta.dirname, 'closed-in-production.ts')
  const env = { ...process.env, NODE_ENV: 'production', NODE_NO_WARNINGS: '1' }
  const { stdout } = await promisify(execFile)(process.execPath, [program], { env })
  expect(JSON.parse(stdout)).toEqual({
    value: null,
    messages: [
      expect.stringMatching(
        /^Scope `r1` was closed at most \d+\.\d ms ago, so `test\.closed\.name` is gone\./,
      ),
    ],
  })
})
