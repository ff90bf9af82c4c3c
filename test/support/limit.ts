/**
 * The one time limit of all tests and hooks, in ms. It only has to find what hangs, so a machine that is
 * ten times as slow meets it. `vitest.config.ts` and the commands that start Bun's tests use it.
 */
export const TEST_LIMIT = 300_000
