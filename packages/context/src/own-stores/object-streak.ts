import type { Adoption } from '../registry.ts'
import { isDevelopment, warn } from '../warning.ts'

/** How many different objects in a row are no coincidence. */
const SUSPICIOUS = 32

interface Streak {
  readonly seen: WeakSet<object>
  readonly latest: WeakRef<object>
  readonly length: number
}

const streaks = new WeakMap<Adoption, Streak>()

// Once, at the start: reading the environment for every item would cost more than the rest of it.
const isWatching = isDevelopment()

/**
 * Notes what was taken from an adopted store at a submit. A new object each time, where values compare by
 * identity, means that no two requests ever share a batch: in development that is reported.
 */
export function noteObject(adoption: Adoption, value: unknown): void {
  if (!isWatching || typeof value !== 'object' || value === null) return
  const { rule, name } = adoption
  if (rule !== 'partition' && rule !== 'same') return
  const streak = streaks.get(adoption)
  // A request that submits several items has one object for them.
  if (streak?.latest.deref() === value) return
  const goesOn = streak !== undefined && !streak.seen.has(value)
  const seen = goesOn ? streak.seen.add(value) : new WeakSet([value])
  const length = goesOn ? streak.length + 1 : 1
  streaks.set(adoption, { seen, latest: new WeakRef(value), length })
  if (length !== SUSPICIOUS) return
  const effect = rule === 'partition' ? 'so each was a batch of its own' : 'so a batch sees none'
  warn(
    'OBJECT_PER_REQUEST',
    name,
    `Submits in a row had ${SUSPICIOUS} different objects in the adopted store \`${name}\`, which compare by identity, ${effect}. ` +
      'Likely cause: the store holds an object per request. ' +
      'Cure: `read: (store) => store.tenant` takes what requests have in common, and `enter: (tenant) => ({ tenant })` makes the store of a batch',
  )
}
