import { clock } from '@heddle/context/engine'

import type { Execution } from './execution.ts'
import { around, type BatchInfo, type Instrument } from './instrument.ts'
import type { Item } from './item.ts'
import type { ResolvedOptions } from './options.ts'
import type { Settlement } from './settlement.ts'
import { waitersOf } from './sharing.ts'

/** Calls the batch function within every instrument's `aroundBatch`. */
export function aroundExecution<I, O>(
  execution: Execution<I, O>,
  instruments: readonly Instrument[],
  { name, maxBatchSize }: ResolvedOptions<I, O>,
  settlement: Settlement<I, O>,
  call: () => Promise<readonly (O | Error)[]>,
): void {
  const { id, items, members, reason, partition, startedAt } = execution
  let endedAt: number | undefined
  const info: BatchInfo = {
    batcher: name,
    id,
    size: items.length,
    maxSize: maxBatchSize,
    reason,
    partition,
    startedAt,
    // A getter, since a hook may have frozen what it was given.
    get endedAt() {
      return endedAt
    },
    places: members === items ? undefined : placesOf(items),
  }
  around(
    instruments,
    info,
    (instrument) =>
      members.map(({ extras }) => extras?.notes[extras.instruments.indexOf(instrument)]),
    () =>
      call().then(
        (values) => {
          endedAt = clock.now()
          settlement.assertResults(execution, values)
        },
        (error: unknown) => {
          endedAt = clock.now()
          throw error
        },
      ),
  )
}

/** For each member, the index of its item. */
function placesOf(items: readonly Item<any, any>[]): readonly number[] {
  return items.flatMap((item, index) => waitersOf(item).map(() => index))
}
