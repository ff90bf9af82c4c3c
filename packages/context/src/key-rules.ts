const RULES: ReadonlySet<unknown> = new Set(['hide', 'partition', 'same'])

/** @throws TypeError for what names no key */
export function assertKeyName(name: unknown): void {
  if (typeof name === 'string' && name !== '') return
  throw new TypeError(
    `Expected a key's \`name\` to be a string with text in it, got ${String(name)}`,
  )
}

/** @throws TypeError for what is no batch rule */
export function assertRule(name: string, rule: unknown): void {
  if (typeof rule === 'function' || RULES.has(rule)) return
  throw new TypeError(
    `Expected \`batch\` of key \`${name}\` to be 'hide', 'partition', 'same' or a function, got ${String(rule)}`,
  )
}
