import { existsSync } from 'node:fs'

/** Where Debian, Fedora and macOS have it; `CHROMIUM` says where else. It is never downloaded. */
const PLACES = [
  process.env.CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
]

export function findChromium(): string | undefined {
  return PLACES.find((path) => path !== undefined && existsSync(path))
}
