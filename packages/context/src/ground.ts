import type { AsyncResource } from 'node:async_hooks'

/**
 * Whether a resource was made where some AsyncLocalStorage had a value. Node keeps the context in a
 * property of the resource whose symbol has no public name: by frame (Node 24 and later), or by store
 * (Node 22). Bun and Deno keep it out of sight; there it is `undefined`.
 */
export function isDirty(resource: AsyncResource): boolean | undefined {
  let isVisible = false
  for (const symbol of Object.getOwnPropertySymbols(resource)) {
    const { description = '' } = symbol
    if (!CONTEXT_SYMBOLS.has(description)) continue
    isVisible = true
    const value: unknown = Reflect.get(resource, symbol)
    if (description === 'kResourceStore' ? value !== undefined : hasValue(value)) return true
  }
  return isVisible ? false : undefined
}

const CONTEXT_SYMBOLS = new Set(['context_frame', 'kAsyncLocalStorageContext', 'kResourceStore'])

/** A frame is a map of the storages that have been entered; one that was left again holds `undefined`. */
function hasValue(frame: unknown): boolean {
  if (!isMapLike(frame)) return false
  return [...frame.values()].some((value) => value !== undefined)
}

function isMapLike(value: unknown): value is { values(): Iterable<unknown> } {
  return typeof value === 'object' && value !== null && 'values' in value
}
