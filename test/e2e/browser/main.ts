/**
 * `pnpm test:browser`: the inspector in a real browser, while the cities example is under load. With
 * `--write` it also takes `docs/inspector.png`.
 */
import { startVitest } from 'vitest/node'

import { findChromium } from './chromium.ts'

if (findChromium() === undefined) {
  console.log('SKIPPED: the tests in a browser, since no Chromium is installed. `CHROMIUM` may say')
  console.log('where one is; with Debian: apt-get install chromium')
} else {
  if (process.argv.includes('--write')) process.env.WRITE_SCREENSHOT = '1'
  const vitest = await startVitest(['test/e2e/browser'], {
    watch: false,
    config: 'test/e2e/vitest.config.ts',
    testTimeout: 30_000,
    hookTimeout: 60_000,
  })
  await vitest.close()
}
