/**
 * The one time limit of all tests and hooks, in ms. It only has to find what hangs, so a machine that is
 * ten times as slow meets it. `vitest.config.ts` and, for Bun, `bunfig.toml` see to it.
 */
export const TEST_LIMIT = 300_000
