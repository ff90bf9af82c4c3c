/** The page of the inspector is one module, which is made of its sources. */
import { describe, expect, it } from 'vitest'

import { isCurrent } from '../../../scripts/inspector.ts'

describe('page.generated.ts', () => {
  // vite builds it, and that is made for Node.
  it.skipIf('bun' in process.versions)('is as packages/hono/page says', async () => {
    expect(await isCurrent()).toBe(true)
  })
})
