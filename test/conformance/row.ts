import type { Mend } from './mends.ts'

/** What one boundary does with the context. */
export interface Row {
  /** As it stands in the table; it names the row, so it is unique. */
  readonly name: string
  /** What code may rely on, for example `A`, or `A or ∅` where either will do. */
  readonly contract: string
  /** @returns whose context the callback saw, or `n/a` where the runtime has no such thing */
  readonly observe: () => Promise<string>
  readonly mended?: MendedRow
  readonly notes: Notes
}

export interface MendedRow {
  /** The wrapper of `@heddle/context`. */
  readonly with: string
  /** What the callback sees with it, on every runtime. */
  readonly gives: string
  readonly observe: () => Promise<string>
}

export interface Notes {
  /** Where a runtime's own people talk about it: `nodejs/node#41285`. */
  readonly issues?: readonly string[]
  /** Why the contract is as it is, where that is not plain. */
  readonly why?: string
  /** Why no wrapper mends it, where a runtime breaks the contract and none does. */
  readonly unmended?: string
  /** What the observation hangs on besides the runtime, if it does: it is not compared then. */
  readonly varies?: string
}

export interface Group {
  readonly title: string
  readonly rows: readonly Row[]
}

/** A boundary that keeps its contract on every runtime, or that no wrapper has to do with. */
export function row(
  name: string,
  contract: string,
  observe: () => Promise<string>,
  notes: Notes = {},
): Row {
  return { name, contract, observe, notes }
}

/**
 * A boundary that is observed twice by the same code: with `mend.without`, which does nothing, and
 * with `mend.by`, the wrapper. So what differs is the wrapper's doing.
 */
export function mendedRow<Wrapper>(
  name: string,
  contract: string,
  mend: Mend<Wrapper>,
  observe: (wrapper: Wrapper) => Promise<string>,
  notes: Notes = {},
): Row {
  return {
    name,
    contract,
    notes,
    observe: () => observe(mend.without),
    mended: { with: mend.name, gives: mend.gives, observe: () => observe(mend.by) },
  }
}

export function meets(contract: string, observed: string): boolean {
  return observed === 'n/a' || contract.split(' or ').includes(observed)
}
