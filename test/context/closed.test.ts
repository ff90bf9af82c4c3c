import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { expect, it } from 'vitest'

it('a use after the close says in production what was used; a submit never loses its partition', async () => {
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
    // It would run without a tenant, and a filter by the tenant would let everything pass.
    late: ['BATCH_FAILED', 'SCOPE_CLOSED'],
    seen: [],
  })
})
