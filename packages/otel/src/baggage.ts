import { type Baggage, type BaggageEntry, type Context, propagation } from '@opentelemetry/api'

/**
 * The entries that the baggage of every caller has with the same value.
 *
 * @param callers - their contexts; `undefined` for one of whom nothing is known
 */
export function commonBaggage(callers: readonly (Context | undefined)[]): Baggage | undefined {
  const [first, ...others] = callers.map((caller) => caller && propagation.getBaggage(caller))
  if (first === undefined) return undefined
  const entries: Record<string, BaggageEntry> = {}
  for (const [key, entry] of first.getAllEntries()) {
    if (others.every((other) => other?.getEntry(key)?.value === entry.value)) entries[key] = entry
  }
  return propagation.createBaggage(entries)
}

export function withBaggage(active: Context, baggage: Baggage | undefined): Context {
  return baggage ? propagation.setBaggage(active, baggage) : active
}
