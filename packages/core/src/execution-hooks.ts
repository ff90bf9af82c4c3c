import { clock } from '@heddle/context/engine'

import type { Execution } from './execution.ts'
import { around, type BatchInfo, type Instrument } from './instrument.ts'
import type { Item } from './item.ts'
import type { ResolvedOptions } from './options.ts'
import type { Settlement } from './settlement.ts'
import { waitersOf } from './sharing.ts'
import type { StartReason } from './types.ts'

/** Calls the batch function within every instrument's `aroundBatch`. */
export function aroundExecution<I, O>(
  execution: Execution<I, O>,
  instruments: readonly Instrument[],
  { name, maxBatchSize }: ResolvedOptions<I, O>,
  settlement: Settlement<I, O>,
  call: () => Promise<readonly (O | Error)[]>,
): void {
  const { members } = execution
  const info = new StartedBatch(execution, members, name, maxBatchSize)
  around(
    instruments,
    info,
    (instrument) =>
      members.map(({ extras }) => extras?.notes[extras.instruments.indexOf(instrument)]),
    () =>
      call().then(
        (values) => {
          info.end()
          settlement.assertResults(execution, values)
        },
        (error: unknown) => {
          info.end()
          throw error
        },
      ),
  )
}

/** A class, since a getter in an object literal keeps what it captures until the next full collection (V8). */
class StartedBatch implements BatchInfo {
  readonly batcher: string
  readonly id: string
  readonly size: number
  readonly maxSize: number
  readonly reason: StartReason
  readonly partition: string
  readonly startedAt: number
  readonly places: readonly number[] | undefined
  /** Private, so that it can be set although a hook has frozen what it was given. */
  #endedAt: number | undefined

  constructor(
    { id, items, reason, partition, startedAt }: Execution<any, any>,
    members: readonly Item<any, any>[],
    batcher: string,
    maxSize: number,
  ) {
    this.batcher = batcher
    this.id = id
    this.size = items.length
    this.maxSize = maxSize
    this.reason = reason
    this.partition = partition
    this.startedAt = startedAt
    this.places = members === items ? undefined : placesOf(items)
  }

  get endedAt(): number | undefined {
    return this.#endedAt
  }

  end(): void {
    this.#endedAt = clock.now()
  }
}

/** For each member, the index of its item. */
function placesOf(items: readonly Item<any, any>[]): readonly number[] {
  return items.flatMap((item, index) => waitersOf(item).map(() => index))
}
