import { defineConfig, mergeConfig, type ViteUserConfig } from 'vitest/config'

import common from '../../vitest.config.ts'

/** The tests that need more than npm brings: a Jaeger, a browser. Each has a command of its own. */
const config: ViteUserConfig = mergeConfig(
  common,
  defineConfig({ test: { include: ['test/e2e/**/*.e2e.ts'] } }),
)

export default config
