import { defineConfig, type ViteUserConfig } from 'vitest/config'

import { TEST_LIMIT } from './test/support/limit.ts'

const config: ViteUserConfig = defineConfig({
  test: { testTimeout: TEST_LIMIT, hookTimeout: TEST_LIMIT, teardownTimeout: TEST_LIMIT },
})

export default config
