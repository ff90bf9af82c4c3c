export const CALLERS = {
  stores: 'each caller in a store of its own',
  bare: 'no store',
  scopes: 'each in a request scope with a signal',
} as const

/** × DataLoader, at most; on Node 26 and on Bun. */
const MOST: readonly (readonly [caller: string, burst: number, node: number, bun: number])[] = [
  [CALLERS.stores, 1, 1.2, 1.2],
  [CALLERS.stores, 32, 1.15, 1.08],
  [CALLERS.bare, 1, 1.2, 1.2],
  [CALLERS.bare, 32, 1.25, 1.25],
  [CALLERS.scopes, 32, 1.6, 1.3],
]

/** What this library was to reach, in words. */
export function goalOf(caller: string, burst: number): string {
  const found = MOST.find((each) => each[0] === caller && each[1] === burst)
  if (found === undefined) return ''
  const ratio = `at most ${found[process.versions['bun'] ? 3 : 2]} ×`
  if (process.versions['bun'] || burst !== 32) return ratio
  if (caller === CALLERS.bare) return `${ratio}, 620 bytes`
  return caller === CALLERS.stores ? `${ratio}, 60 bytes more` : ratio
}
