import { defineConfig, type ViteUserConfig } from 'vitest/config'

/** The tests that need more than npm brings: a Jaeger, a browser. Each has a command of its own. */
const config: ViteUserConfig = defineConfig({ test: { include: ['test/e2e/**/*.e2e.ts'] } })

export default config
