/**
 * Gives every test file on Bun the limit of all tests. `bunfig.toml` has no setting for it, and
 * `setDefaultTimeout` counts for one file alone, which in a preloaded module is the first
 * (https://github.com/oven-sh/bun/issues/43787).
 */
import { readFile } from 'node:fs/promises'

import { TEST_LIMIT } from './limit.ts'

interface Loaded {
  readonly contents: string
  readonly loader: 'ts'
}

/** As much of Bun's types as this file needs. */
interface BunRuntime {
  plugin(options: {
    readonly name: string
    setup(build: {
      onLoad(
        options: { readonly filter: RegExp },
        load: (file: { readonly path: string }) => Promise<Loaded>,
      ): void
    }): void
  }): void
}

const { Bun: bun } = globalThis as unknown as { readonly Bun: BunRuntime }

// On the first line, so that all lines keep their numbers.
const limit = `import { setDefaultTimeout as $limit } from 'bun:test'; $limit(${TEST_LIMIT}); `

bun.plugin({
  name: 'limit',
  setup(build) {
    build.onLoad({ filter: /\.test\.ts$/ }, async ({ path }) => ({
      contents: limit + (await readFile(path, 'utf8')),
      loader: 'ts',
    }))
  },
})
