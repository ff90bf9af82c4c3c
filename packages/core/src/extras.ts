import type { Instrument } from './instrument.ts'
import type { Rejection } from './item.ts'
import type { Group } from './sharing.ts'
import type { TenantEntry } from './tenants.ts'

/** What only some items have. An item makes it when it first needs any of it: with it all, each would be half as large again. */
export class Extras<I, O> {
  /** Who watches it, and what each noted at the submit. */
  instruments: readonly Instrument[] = none
  notes: readonly unknown[] = none
  /** Something of the engine's user that goes with it. */
  attachment: unknown = undefined
  /** Told when it has settled; see `Item.watch`. */
  onSettle: ((rejection: Rejection | undefined) => void) | undefined = undefined
  /** Whose turn it takes, with `tenantBy`. */
  tenant = ''
  tenantEntry: TenantEntry<I, O> | undefined = undefined
  /** Who waits for the same, with `dedupeBy`. */
  group: Group<I, O> | undefined = undefined
  /** Of somebody who waits for the same and goes earlier. */
  rank: number | undefined = undefined
  /** Aborts when its caller is gone. */
  controller: AbortController | undefined = undefined
  /** Why its caller left while the batch function ran. */
  leftFor: unknown = undefined
  /** Whether its batch function saw all of its caller's context; known only of items that have extras by then. */
  isExposed = false
}

const none: readonly never[] = []
