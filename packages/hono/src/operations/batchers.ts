import { type OptionRule, shown } from '@heddle/context/engine'

export const someBatchers: OptionRule = { expected: 'an array of batchers', holds: Array.isArray }

/**
 * @param method - what is needed of each
 * @throws TypeError that names the first that is none
 */
export function assertBatchers(
  caller: string,
  batchers: readonly unknown[] | undefined,
  method: 'close' | 'stats',
): void {
  const wrong = batchers?.findIndex((batcher) => !hasMethod(batcher, method)) ?? -1
  if (wrong === -1) return
  const got = batchers?.[wrong]
  const cure = hasMethod(Object(got).batcher, method) ? '. Cure: pass its `batcher`.' : ''
  throw new TypeError(
    `${caller}(): Expected \`batchers[${wrong}]\` to be a batcher, got ${shown(got)}${cure}`,
  )
}

export function hasMethod(value: unknown, name: string): boolean {
  return (
    ((typeof value === 'object' && value !== null) || typeof value === 'function') &&
    typeof Reflect.get(value, name) === 'function'
  )
}
