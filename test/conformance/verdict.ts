import { meets, type Row } from './row.ts'
import type { Observed } from './runtimes.ts'

/**
 * What is wrong with what a runtime has shown of a row; nothing, if it is what the table says, and
 * what breaks the contract is mended.
 *
 * @param committed - the cell of the table
 */
export function faultsOf(
  row: Row,
  observed: Observed | undefined,
  committed: string | undefined,
): string[] {
  if (observed === undefined) return ['was not observed']
  const { contract, mended, notes } = row
  const { plain } = observed
  const faults: string[] = []
  if (!notes.varies && plain !== committed) {
    faults.push(`the table says ${committed ?? 'nothing'}, but it is ${plain}`)
  }
  if (!/^(?:[ABS∅]|n\/a|kept|lost|leak|default)$/.test(plain) && !notes.varies) {
    faults.push(`nothing was seen: ${plain}`)
  }
  if (!meets(contract, plain) && !mended && !notes.unmended && !notes.varies) {
    faults.push(`the contract is ${contract}, it is ${plain}, and there is no wrapper`)
  }
  if (mended && plain !== 'n/a' && !isMended(row, observed.mended)) {
    faults.push(`${mended.with} gives ${observed.mended ?? 'nothing'}, not ${mended.gives}`)
  }
  return faults
}

function isMended({ mended, notes }: Row, seen: string | undefined): boolean {
  return seen === mended?.gives || (notes.varies !== undefined && seen === NOT_CALLED)
}

/** What a row says of a callback that need not come. */
export const NOT_CALLED = 'not called'
