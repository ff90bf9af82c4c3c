/**
 * A part of the comparison, as JSON.
 *
 *     node bench/policy/part.ts closed --quick
 */
import { type ClosedCell, compareClosed } from './closed-loop.ts'
import { compareAll, type Comparison } from './open-loop.ts'
import { type Neighbour, neighbour, type Overload, overload } from './overload.ts'

export interface Parts {
  readonly oneSlot: readonly Comparison[]
  readonly twoSlots: readonly Comparison[]
  readonly fourSlots: readonly Comparison[]
  readonly closed: readonly ClosedCell[]
  readonly overloads: readonly Overload[]
  readonly neighbour: Neighbour
}

const parts: { readonly [Name in keyof Parts]: () => Promise<Parts[Name]> } = {
  oneSlot: () => compareAll(1),
  twoSlots: () => compareAll(2),
  fourSlots: () => compareAll(4),
  closed: compareClosed,
  overloads: async () => [
    await overload(0, 'auto'),
    await overload(0.3, 'auto'),
    await overload(0.3, 0),
  ],
  neighbour: () => neighbour('auto'),
}

console.log(JSON.stringify(await parts[process.argv[2] as keyof Parts]()))
