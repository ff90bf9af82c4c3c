import { assertKeyName, assertRule } from '../key-rules.ts'
import type { AdoptOptions } from '../types.ts'

const OPTIONS: readonly string[] = [
  'name',
  'batch',
  'read',
  'enter',
  'carry',
  'redact',
] satisfies (keyof AdoptOptions<unknown>)[]

/** @throws TypeError for what is no store, and for an option that is not as described */
export function assertAdoptOptions(store: unknown, options: AdoptOptions<any, any>): void {
  if (!isStore(store)) {
    throw new TypeError(
      `adopt(): Expected an AsyncLocalStorage, or an object with \`getStore\` and \`run\`, got ${store === null ? 'null' : typeof store}`,
    )
  }
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(
      `adopt(): Expected options with a \`name\` and a \`batch\` rule, got ${String(options)}`,
    )
  }
  const unknown = Object.keys(options).find((option) => !OPTIONS.includes(option))
  if (unknown !== undefined) {
    throw new TypeError(
      `adopt(): there is no option \`${unknown}\`; the options are \`${OPTIONS.join('`, `')}\``,
    )
  }
  const { name, batch, read, enter, carry, redact } = options
  assertKeyName(name)
  assertRule(name, batch)
  assertOption(name, 'read', 'a function', read, typeof read === 'function')
  assertOption(name, 'enter', 'a function', enter, typeof enter === 'function')
  assertOption(name, 'redact', 'a boolean', redact, typeof redact === 'boolean')
  const isCarry = typeof carry?.encode === 'function' && typeof carry.decode === 'function'
  assertOption(name, 'carry', 'an object with `encode` and `decode`', carry, isCarry)
}

function isStore(store: unknown): boolean {
  if ((typeof store !== 'object' || store === null) && typeof store !== 'function') return false
  const { getStore, run } = store as { getStore?: unknown; run?: unknown }
  return typeof getStore === 'function' && typeof run === 'function'
}

function assertOption(
  name: string,
  option: string,
  expected: string,
  value: unknown,
  holds: boolean,
): void {
  if (value === undefined || holds) return
  throw new TypeError(
    `adopt(): Expected \`${option}\` of \`${name}\` to be ${expected}, got ${typeof value}`,
  )
}
